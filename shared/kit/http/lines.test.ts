import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lines } from './client.ts';

async function* cut(bytes: Uint8Array, size: number): AsyncIterable<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

async function read(text: string, size: number): Promise<string[]> {
  const read: string[] = [];
  for await (const line of lines(cut(Buffer.from(text), size))) read.push(line);
  return read;
}

test('lines are the same however the bytes are cut, characters of several bytes and empty lines among them', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.constantFrom('a', '\n', 'ä', '€', '{"b":1}')),
      fc.integer({ min: 1, max: 9 }),
      async (parts, size) => {
        const text = parts.join('');
        expect(await read(text, size)).toEqual(text.split('\n').filter((line) => line !== ''));
      },
    ),
  );
});

test('a line of very many pieces costs no more per piece than a short one', async () => {
  // 64 Mi characters in pieces of 16 KiB: looked through again with each piece, they would take minutes.
  const text = `${'x'.repeat(67_108_864)}\n{}\n`;
  const started = performance.now();
  const found = await read(text, 16_384);
  expect(found.map(({ length }) => length)).toEqual([67_108_864, 2]);
  expect(performance.now() - started).toBeLessThan(20_000);
});
