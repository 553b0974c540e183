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
