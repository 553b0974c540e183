import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter, readLines } from './ndjson.ts';

test('lines are the same wherever the text was cut', () => {
  const line = fc.string().filter((text) => text.trim() !== '' && !text.includes('\n'));
  fc.assert(
    fc.property(fc.array(line), fc.array(fc.nat(40)), (lines, cuts) => {
      const text = lines.join('\n');
      const splitter = new LineSplitter();
      const got: string[] = [];
      let rest = text;
      for (const cut of cuts) {
        got.push(...splitter.push(rest.slice(0, cut)));
        rest = rest.slice(cut);
      }
      got.push(...splitter.push(rest), ...splitter.end());
      expect(got).toEqual(lines);
    }),
  );
});

test('a character that is cut between two chunks stays one character', async () => {
  const bytes = new TextEncoder().encode('{"a":"ü"}\n{"b":1}');
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const lines: string[] = [];
  for await (const line of readLines(body)) lines.push(line);
  expect(lines).toEqual(['{"a":"ü"}', '{"b":1}']);
});

test('leaving early closes the source', async () => {
  let cancelled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => controller.enqueue(new TextEncoder().encode('x\n')),
    cancel: () => {
      cancelled = true;
    },
  });
  for await (const line of readLines(body)) if (line === 'x') break;
  expect(cancelled).toBe(true);
});
