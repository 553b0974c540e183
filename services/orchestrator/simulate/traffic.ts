import { exponential, type Random, seededRandom } from '@skyrun/kit';

/** How many requests are under way at a service from now on, and until when that holds. */
export interface Level {
  readonly concurrency: number;
  /** Unix milliseconds. */
  readonly until: number;
}

/** The traffic of one service, level after level. */
export type Traffic = (now: number) => Level;

export type TrafficClass = 'busy' | 'hourly' | 'rare';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
/** So long a busy service's level holds: less than a panic window. */
const LEVEL_MS = 5_000;

/** The day's shape: least at four in the morning, most at four in the afternoon; mean 1. */
export const dailyShape = (now: number): number =>
  1 - 0.8 * Math.cos((2 * Math.PI * ((now % DAY_MS) - 4 * HOUR_MS)) / DAY_MS);

/** The most requested hundredth is always busy, a tenth has visitors every hour, the long tail a few a day. */
export const classOf = (index: number): TrafficClass =>
  index % 100 === 0 ? 'busy' : index % 10 === 0 ? 'hourly' : 'rare';

/** A service's traffic; the same for the same seed and index. */
export function trafficOf(kind: TrafficClass, index: number, seed: number): Traffic {
  const random = seededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b));
  switch (kind) {
    case 'busy':
      return busy(random);
    case 'hourly':
      return visits(random, { everyMs: HOUR_MS, lastsMs: 2 * MINUTE_MS, concurrency: 12 });
    case 'rare':
      return visits(random, { everyMs: 10 * HOUR_MS, lastsMs: 10_000, concurrency: 1 });
  }
}

/** Follows the day, with the noise of independent requests and bursts of five times as much, some a day. */
function busy(random: Random): Traffic {
  const mean = 20 + 180 * random() ** 3;
  let burstAt: number | null = null;
  let burstUntil = 0;
  return (now) => {
    burstAt ??= now + exponential(random, 6 * HOUR_MS);
    if (now >= burstAt) {
      burstUntil = now + 30_000 + 120_000 * random();
      burstAt = now + exponential(random, 6 * HOUR_MS);
    }
    const level = mean * dailyShape(now) * (now < burstUntil ? 5 : 1);
    return { concurrency: Math.max(0, Math.round(normal(random, level, Math.sqrt(level)))), until: now + LEVEL_MS };
  };
}

interface Visits {
  /** Mean time between two, at the day's mean. */
  readonly everyMs: number;
  readonly lastsMs: number;
  readonly concurrency: number;
}

/** Nothing, then somebody for a while, then nothing: more often in the afternoon. */
function visits(random: Random, { everyMs, lastsMs, concurrency }: Visits): Traffic {
  let visiting = true;
  return (now) => {
    visiting = !visiting;
    if (!visiting) return { concurrency: 0, until: now + 1_000 + exponential(random, everyMs / dailyShape(now)) };
    const level = 1 + Math.floor(random() * concurrency);
    return { concurrency: level, until: now + 1_000 + exponential(random, lastsMs) };
  };
}

/** The same at all times but for the noise of independent requests, to see that nothing flaps. */
export function steady(concurrency: number, seed: number): Traffic {
  const random = seededRandom(seed);
  return (now) => ({
    concurrency: Math.max(0, Math.round(normal(random, concurrency, Math.sqrt(concurrency) / 2))),
    until: now + LEVEL_MS,
  });
}

/** Of a normal distribution (Box and Muller). */
function normal(random: Random, mean: number, deviation: number): number {
  const radius = Math.sqrt(-2 * Math.log(1 - random()));
  return mean + deviation * radius * Math.cos(2 * Math.PI * random());
}
