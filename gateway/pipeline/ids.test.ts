import { expect, test } from 'vitest';
import { RandomHex, requestIdOf, traceOf, traceparentOf } from './ids.ts';

test('no id comes twice, however many are taken, and each is a whole one', () => {
  const ids = new RandomHex();
  const [requests, spans, others] = [new Set<string>(), new Set<string>(), new Set<string>()];
  const count = 20_000;
  for (let index = 0; index < count; index += 1) {
    const flags = index % 3 === 0 ? '01' : '00';
    const tail = ids.tail(flags);
    const traceparent = traceparentOf(tail);
    if (!new RegExp(`^00-[0-9a-f]{32}-[0-9a-f]{16}-${flags}$`).test(traceparent)) expect.fail(traceparent);
    if (requestIdOf(tail) !== traceOf(traceparent)) expect.fail(tail);
    requests.add(requestIdOf(tail));
    spans.add(traceparent.slice(36, 52));
    others.add(ids.take(16));
  }
  expect([requests.size, spans.size, others.size]).toEqual([count, count, count]);
});
