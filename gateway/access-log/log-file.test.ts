import { mkdir, mkdtemp, readFile, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, systemClock } from '@skyrun/kit';
import { expect, test, vi } from 'vitest';
import { LogFile } from './log-file.ts';

test('while it cannot be written lines are kept up to a bound, then dropped whole and counted; later all kept ones are there', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'skyrun-log-file-'));
  const path = join(directory, 'access.log');
  // A directory of that name cannot be opened for appending, whoever tries.
  await mkdir(path);
  const file = new LogFile({ path, clock: systemClock, logger: silentLogger });
  try {
    const line = `${'x'.repeat(1_000_000)}\n`;
    for (let count = 0; count < 6; count += 1) file.add(line);
    expect(file.dropped).toBe(2);
    await new Promise((resolve) => setTimeout(resolve, 300));
    file.add(line);
    expect(file.dropped).toBe(3);
    await rmdir(path);
    await vi.waitFor(async () => expect((await readFile(path)).length).toBe(4 * line.length), { timeout: 15_000 });
    file.add('last\n');
    await file.close();
    expect((await readFile(path, 'utf8')).endsWith('x\nlast\n')).toBe(true);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
});
