import { expect, test } from 'vitest';
import { ManualClock } from './clock.ts';

test('advance runs timers in order of time, then of setting', async () => {
  const clock = new ManualClock(0);
  const ran: string[] = [];
  clock.setTimeout(20, () => ran.push(`b@${clock.now()}`));
  clock.setTimeout(10, () => ran.push(`a@${clock.now()}`));
  clock.setTimeout(20, () => ran.push(`c@${clock.now()}`));
  await clock.advance(19);
  expect(ran).toEqual(['a@10']);
  await clock.advance(1);
  expect(ran).toEqual(['a@10', 'b@20', 'c@20']);
});

test('advance also runs timers that a due timer set', async () => {
  const clock = new ManualClock(0);
  const ran: number[] = [];
  const again = () => {
    ran.push(clock.now());
    clock.setTimeout(10, again);
  };
  clock.setTimeout(10, again);
  await clock.advance(35);
  expect(ran).toEqual([10, 20, 30]);
});

test('a cancelled timer does not run, and an aborted sleep rejects with the reason', async () => {
  const clock = new ManualClock(0);
  let ran = false;
  clock.setTimeout(5, () => {
    ran = true;
  })();
  const abort = new AbortController();
  const sleeping = clock.sleep(5, abort.signal);
  abort.abort(new Error('enough'));
  await expect(sleeping).rejects.toThrow('enough');
  await clock.advance(10);
  expect(ran).toBe(false);
});
