import { Problem } from '@skyrun/contracts';
import { type Logger, ManualClock, silentLogger } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { watchGrowth } from './growth.ts';

const EVERY_MS = 15_000;

/** Only what is looked at here; what is said is kept with its level. */
function listener(said: string[]): Logger {
  const at = (level: string) => (first: unknown, second?: string) => {
    said.push(`${level}: ${typeof first === 'string' ? first : second}`);
  };
  return { ...silentLogger, info: at('info'), warn: at('warn'), error: at('error') };
}

test('that the broker is away is said once, and once that it is back', async () => {
  const clock = new ManualClock(0);
  const said: string[] = [];
  let away = true;
  let looks = 0;
  const growth = watchGrowth({
    desk: {
      async groups() {
        looks += 1;
        if (away) throw new Problem('platform.unavailable', { detail: 'the broker is away' });
        return [];
      },
    },
    groups: { list: async () => [], heard: async () => undefined, countLetters: async () => null },
    transaction: () => Promise.reject(new Error('nothing has grown')),
    metrics: undefined,
    clock,
    logger: listener(said),
  });
  growth.start();
  await clock.advance(2 * EVERY_MS);
  expect(looks).toBe(3);
  expect(said).toEqual(['warn: dead letters are not counted while the broker is away']);
  away = false;
  await clock.advance(2 * EVERY_MS);
  away = true;
  await clock.advance(2 * EVERY_MS);
  await growth.stop();
  expect(said.slice(1)).toEqual([
    'info: dead letters are counted again',
    'warn: dead letters are not counted while the broker is away',
  ]);
});
