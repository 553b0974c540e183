import { setTimeout as sleep } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { settled } from './acknowledge.ts';

const context = (signal = new AbortController().signal) => ({ attempt: 1, signal });

it('automatic: is settled as the handler ends', async () => {
  await settled('automatic', context(), async () => undefined);
  await expect(settled('automatic', context(), async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
});

it('manual: waits for ack, also long after the handler has returned', async () => {
  let acknowledge: () => void = () => undefined;
  let done = false;
  const settling = settled('manual', context(), async ({ ack }) => {
    acknowledge = ack;
  }).then(() => {
    done = true;
  });
  await sleep(20);
  expect(done).toBe(false);
  acknowledge();
  await settling;
  expect(done).toBe(true);
});

it('manual: fails by fail, by a throw, and when the event was given to somebody else', async () => {
  await expect(settled('manual', context(), async ({ fail }) => fail(new Error('bad')))).rejects.toThrow('bad');
  await expect(settled('manual', context(), async () => Promise.reject(new Error('no')))).rejects.toThrow('no');
  const lost = new AbortController();
  const waiting = settled('manual', context(lost.signal), async () => undefined);
  lost.abort(new Error('lost'));
  await expect(waiting).rejects.toThrow('lost');
});
