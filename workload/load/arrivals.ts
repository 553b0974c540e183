import { exponential, seededRandom } from '@skyrun/kit';

/** When requests should start: milliseconds after the start of the run, ascending. */
export interface Arrivals {
  /** The start time of request `index` (from 0), or null when the shape is over. */
  at(index: number): number | null;
}

export interface SteadyShape {
  readonly requestsPerSecond: number;
  readonly durationMs: number;
}

/** Evenly spaced arrivals: an open loop, so a slow service does not slow the load down. */
export function steady({ requestsPerSecond, durationMs }: SteadyShape): Arrivals {
  const gap = 1000 / requestsPerSecond;
  return {
    at(index) {
      const time = index * gap;
      return time < durationMs ? time : null;
    },
  };
}

/**
 * Arrivals as those of very many clients who know nothing of each other: a Poisson process, whose gaps are distributed
 * exponentially. An equal `seed` gives equal times. Kept in memory, 8 bytes each.
 */
export function poisson({ requestsPerSecond, durationMs, seed }: SteadyShape & { readonly seed: number }): Arrivals {
  const random = seededRandom(seed);
  const times: number[] = [];
  const gap = () => exponential(random, 1000 / requestsPerSecond);
  for (let time = gap(); time < durationMs; time += gap()) times.push(time);
  return { at: (index) => times[index] ?? null };
}
