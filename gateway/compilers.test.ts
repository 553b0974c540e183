import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { GATEWAY_SWITCHES } from './switches.ts';

const run = promisify(execFile);

test.runIf(process.platform === 'linux')('compilers have the lowest priority, all else has what it had', async () => {
  // In a process of its own: the one that tests is not to be slowed down.
  const program = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { getPriority } from 'node:os';
    const { lowerCompilers } = await import(${JSON.stringify(new URL('compilers.ts', import.meta.url).href)});
    const before = getPriority();
    const lowered = lowerCompilers();
    const threads = readdirSync('/proc/self/task').map((thread) => ({
      name: readFileSync('/proc/self/task/' + thread + '/comm', 'latin1').trim(),
      changed: getPriority(Number(thread)) - before,
    }));
    console.log(JSON.stringify({ lowered, threads, before }));
  `;
  const { stdout } = await run(process.execPath, [...GATEWAY_SWITCHES, '--input-type=module', '-e', program]);
  const { lowered, threads, before } = JSON.parse(stdout) as {
    lowered: number;
    threads: { name: string; changed: number }[];
    before: number;
  };
  expect(lowered).toBe(1);
  expect(threads.length).toBeGreaterThan(2);
  for (const { name, changed } of threads)
    expect([name, changed]).toEqual([name, name.includes('V8Worker') ? 19 - before : 0]);
});
