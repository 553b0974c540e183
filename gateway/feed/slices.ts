import type { Clock } from '@skyrun/kit';

/** Long work lets requests have their turn after so many ms of it. */
const SLICE_MS = 5;

/** Turns of a long piece of work: `over()` says that others are due, `pause()` lets them. */
export interface Slices {
  over(): boolean;
  pause(): Promise<void>;
}

export function createSlices(clock: Pick<Clock, 'monotonic'>): Slices {
  let began = clock.monotonic();
  return {
    over: () => clock.monotonic() - began >= SLICE_MS,
    async pause() {
      await new Promise<void>((resolve) => {
        setImmediate(resolve);
      });
      began = clock.monotonic();
    },
  };
}
