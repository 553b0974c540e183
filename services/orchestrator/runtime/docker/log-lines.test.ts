import fc from 'fast-check';
import { expect, test } from 'vitest';
import { logLines } from './log-lines.ts';

function frame(stream: 1 | 2, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header[0] = stream;
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

async function read(chunks: readonly Buffer[]) {
  async function* source() {
    yield* chunks;
  }
  const found = [];
  for await (const line of logLines(source())) found.push(line);
  return found;
}

const at = '2026-01-02T03:04:05.678901234Z';
const bytes = Buffer.concat([
  frame(1, `${at} hello wörld\n`),
  frame(2, `${at} oops\r\n`),
  frame(1, `${at} no newline at the end`),
]);
const expected = [
  { at: Date.parse(at), position: at, stream: 'stdout', text: 'hello wörld' },
  { at: Date.parse(at), position: at, stream: 'stderr', text: 'oops' },
  { at: Date.parse(at), position: at, stream: 'stdout', text: 'no newline at the end' },
];

test('frames become lines with their stream and time', async () => {
  expect(await read([bytes])).toEqual(expected);
});

test('wherever the bytes are cut, the lines are the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: bytes.length }), { maxLength: 8 }), async (cuts) => {
      const edges = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
      const chunks = edges.slice(1).map((edge, index) => bytes.subarray(edges[index] ?? 0, edge));
      expect(await read(chunks)).toEqual(expected);
    }),
  );
});

test('the parts of a line that the engine cut are one line again, with one time', async () => {
  const parts = [frame(1, `${at} ${'a'.repeat(16_384)}`), frame(2, `${at} between\n`), frame(1, `${at} and the end\n`)];
  expect((await read(parts)).map(({ text }) => text)).toEqual(['between', `${'a'.repeat(16_384)}and the end`]);
});
