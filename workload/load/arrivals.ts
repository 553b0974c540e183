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
 * exponentially (inverse of the distribution function). An equal `seed` gives equal times. Kept in memory, 8 bytes each.
 */
export function poisson({ requestsPerSecond, durationMs, seed }: SteadyShape & { readonly seed: number }): Arrivals {
  const random = mulberry32(seed);
  const times: number[] = [];
  const gap = () => (-1000 / requestsPerSecond) * Math.log(1 - random());
  for (let time = gap(); time < durationMs; time += gap()) times.push(time);
  return { at: (index) => times[index] ?? null };
}

/** Tommy Ettinger's mulberry32: numbers from 0 to below 1. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
