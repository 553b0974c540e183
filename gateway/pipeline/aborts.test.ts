import { withinLoad } from '@skyrun/testing';
import { expect, test } from 'vitest';
import { startAbortInstance } from '../harness/abort-instance.ts';
import { abortWays } from '../harness/aborts.ts';
import { route, startGateway, target } from '../harness/gateway.ts';

const WITHIN_MS = 100;
/** The median of so many: a busy machine delays one or the other, a timer would delay all. */
const TIMES = 7;

test('what one side breaks off, the other hears of within 100 ms', { timeout: 60_000 }, async () => {
  const instance = await startAbortInstance();
  const running = await startGateway([route([target([instance.port])])]);
  try {
    for (const { name, measure } of abortWays(running.port, 'hello.demo.localhost', instance)) {
      const took: number[] = [];
      for (let time = 0; time < TIMES; time += 1) took.push(await measure());
      const median = took.sort((a, b) => a - b)[TIMES >> 1];
      expect(median, `${name}: ${took.map(Math.round).join(', ')} ms`).toBeLessThan(withinLoad(WITHIN_MS));
    }
  } finally {
    await running.close();
    await instance.close();
  }
});
