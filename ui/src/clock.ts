/** The one place of the page that reads the time; everything that decides takes it as an argument. */
export interface PageClock {
  /** Unix milliseconds. */
  now(): number;
  /** Milliseconds that never jump back. */
  monotonic(): number;
}

export const pageClock: PageClock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};
