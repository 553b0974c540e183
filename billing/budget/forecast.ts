import { DAY_MS, monthStart, nextMonthStart } from '../aggregate/slot.ts';

/** Pico units. */
export interface Forecast {
  readonly spent: bigint;
  readonly expected: bigint;
  readonly low: bigint;
  readonly high: bigint;
  readonly wholeDays: number;
  /** Unix ms. */
  readonly monthEnd: number;
}

/** Two-sided 95 % of a normal distribution. */
const Z = 1.96;

/**
 * The month's end at the mean pace of its whole days, from the first day that cost something on. The band is that of a
 * sum of as many independent days as remain, with the variance of those so far; with one whole day or none there is no
 * variance to know, and the band is as wide as what is still expected to come.
 *
 * @param days cost of each day of the month up to and with today, pico units.
 */
export function forecastMonth(days: readonly bigint[], now: number): Forecast {
  const monthEnd = nextMonthStart(now);
  const spent = days.reduce((sum, day) => sum + day, 0n);
  const first = days.findIndex((day) => day !== 0n);
  const whole = first === -1 ? [] : days.slice(first, -1).map(Number);
  const remaining = (monthEnd - now) / DAY_MS;
  const pace = whole.length === 0 ? paceOfToday(Number(spent), now) : mean(whole);
  const toCome = pace * remaining;
  const spread = whole.length < 2 ? Math.abs(toCome) : Z * deviation(whole) * Math.sqrt(remaining);
  const later = (amount: number) => spent + BigInt(Math.round(Math.max(0, amount)));
  return {
    spent,
    expected: later(toCome),
    low: later(toCome - spread),
    high: later(toCome + spread),
    wholeDays: whole.length,
    monthEnd,
  };
}

/** At least an hour is assumed to have passed, so that a first minute does not predict a month. */
function paceOfToday(spent: number, now: number): number {
  const passed = Math.max((now - monthStart(now)) % DAY_MS, DAY_MS / 24);
  return (spent / passed) * DAY_MS;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample. */
function deviation(values: readonly number[]): number {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}
