import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PositionFile, SegmentReader } from './segments.ts';

let directory: string;
const closing: { close(): Promise<void> }[] = [];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skyrun-segments-'));
});
afterEach(async () => {
  for (const one of closing.splice(0)) await one.close();
  await rm(directory, { recursive: true, force: true });
});

function positionFile(): PositionFile {
  const file = new PositionFile(directory);
  closing.push(file);
  return file;
}

function reader(): SegmentReader {
  const one = new SegmentReader(directory);
  closing.push(one);
  return one;
}

test('the last position counts, also where it is shorter than the one before, and for the next process', async () => {
  const file = positionFile();
  expect(await file.load()).toBeNull();
  for (const offset of [8_000_000, 12, 345]) {
    await file.save({ segment: '1700000000000-000001.ndjson', offset });
    expect(await positionFile().load()).toEqual({ segment: '1700000000000-000001.ndjson', offset });
  }
  const next = positionFile();
  await next.save({ segment: '1700000000000-000002.ndjson', offset: 0 });
  expect(await positionFile().load()).toEqual({ segment: '1700000000000-000002.ndjson', offset: 0 });
});

test('a torn position is none, and is mended by the next', async () => {
  await writeFile(join(directory, 'acknowledged.json'), '{"segment":"17');
  const file = positionFile();
  expect(await file.load()).toBeNull();
  await file.save({ segment: 'a', offset: 1 });
  expect(await positionFile().load()).toEqual({ segment: 'a', offset: 1 });
});

test('reads on where it ended as lines are added, and leaves half a line', async () => {
  const path = join(directory, 'a');
  const one = reader();
  await writeFile(path, 'one\ntw');
  expect(await one.read('a', 0)).toEqual({ lines: ['one'], next: 4, more: false });
  expect(await one.read('a', 4)).toEqual({ lines: [], next: 4, more: false });
  await appendFile(path, 'o\nthree\n');
  expect(await one.read('a', 4)).toEqual({ lines: ['two', 'three'], next: 14, more: false });
});

test.each([
  ['short lines', 100, 40_000],
  ['lines longer than what is read at once', 100_000, 30],
])('gives all of a long segment in order, then of another: %s', async (_, length, count) => {
  const all = Array.from({ length: count }, (__, index) => `${index} `.padEnd(length, 'é'));
  await writeFile(join(directory, 'a'), `${all.join('\n')}\n`);
  await writeFile(join(directory, 'b'), 'of the next\n');
  const one = reader();
  const got: string[] = [];
  let [offset, more, reads] = [0, true, 0];
  while (more) {
    const read = await one.read('a', offset);
    got.push(...read.lines);
    [offset, more, reads] = [read.next, read.more, reads + 1];
  }
  expect(got).toEqual(all);
  expect(reads).toBeGreaterThan(2);
  expect(await one.read('b', 0)).toEqual({ lines: ['of the next'], next: 12, more: false });
});
