import fc from 'fast-check';
import { expect, test } from 'vitest';
import { NodeReader } from './fuzz/node-reading.ts';
import { newTally, nodeAgrees, splitsAgree } from './fuzz/properties.ts';

// The same searches for as long as one likes: `./skyrun bench gateway-fuzz MINUTES`.

/** Thousands of readings: seconds, or many of them beside other work. */
const TEST_MS = 120_000;

test('the same bytes are the same requests, however they are split and whatever was read before', {
  timeout: TEST_MS,
}, () => {
  const tally = newTally();
  fc.assert(splitsAgree(tally), { numRuns: 1500 });
  expect(tally.accepted).toBeGreaterThan(300);
  expect(tally.refused).toBeGreaterThan(100);
});

test('what is accepted here, Node reads as the same requests, as they came and as they are sent on', {
  timeout: TEST_MS,
}, async () => {
  const tally = newTally();
  await fc.assert(nodeAgrees(new NodeReader(), tally), { numRuns: 1500 });
  expect(tally.accepted).toBeGreaterThan(300);
});

test('Node is asked about two connections at a time without mixing them', async () => {
  const node = new NodeReader();
  const ask = (name: string) =>
    node.read(Buffer.from(`POST /${name} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n${name}`));
  const readings = await Promise.all([ask('a'), ask('b')]);
  expect(readings.map(({ requests }) => requests.map(({ target, body }) => [target, body]))).toEqual([
    [['/a', 'a']],
    [['/b', 'b']],
  ]);
});
