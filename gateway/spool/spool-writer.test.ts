import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger } from '@skyrun/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { listSegments, readSegment } from './segments.ts';
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

test('half a batch that a full disk left behind is never followed by another line', async () => {
  const directory = join(dataDir, 'spool');
  let full = false;
  const writer = new SpoolWriter({
    directory,
    startedAt: 1_700_000_000_000,
    logger: silentLogger,
    async create(path) {
      const file = await open(path, 'ax');
      return {
        async appendFile(text) {
          await file.appendFile(full ? String(text).slice(0, -6) : text);
          if (full) throw new Error('no space left on device');
        },
        datasync: () => file.datasync(),
        close: () => file.close(),
      };
    },
  });
  writer.append([{ kind: 'active', at: 1 }]);
  await writer.flush();
  full = true;
  writer.append([{ kind: 'idle', at: 2 }]);
  await writer.flush();
  full = false;
  writer.append([{ kind: 'active', at: 3 }]);
  await writer.close();
  const segments = await listSegments(directory);
  const texts = await Promise.all(segments.map((segment) => readFile(join(directory, segment), 'utf8')));
  expect(texts).toEqual(['{"active":1}\n{"idl', '{"idle":2}\n{"active":3}\n']);
  // What a reader makes of it: each line once.
  const lines = await Promise.all(segments.map((segment) => readSegment(directory, segment)));
  expect(lines.flat()).toEqual(['{"active":1}', '{"idle":2}', '{"active":3}']);
});
