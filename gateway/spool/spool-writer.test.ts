import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@skyrun/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listSegments } from './segments.ts';
import { SpoolWriter } from './spool-writer.ts';

let dataDir: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'skyrun-spool-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

test('what the disk refuses is kept, and written before what came after it', async () => {
  const directory = join(dataDir, 'spool');
  // No directory can be made where a file is.
  await writeFile(directory, '');
  const writer = new SpoolWriter({ directory, startedAt: 1_700_000_000_000, logger: silentLogger });
  writer.append([{ kind: 'active', at: 1 }]);
  // Comes while the first is being refused.
  writer.append([{ kind: 'idle', at: 2 }]);
  await writer.flush();
  writer.append([{ kind: 'active', at: 3 }]);
  await writer.flush();
  await rm(directory);
  writer.append([{ kind: 'closed', at: 4 }]);
  await writer.close();
  const [segment = '', ...more] = await listSegments(directory);
  expect(more).toEqual([]);
  expect(await readFile(join(directory, segment), 'utf8')).toBe(
    '{"active":1}\n{"idle":2}\n{"active":3}\n{"closed":4}\n',
  );
  expect(writer.dropped).toBe(0);
});
