import { useSyncExternalStore } from 'react';
import { pageClock } from '../clock.ts';

const listeners = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;
let now = pageClock.now();

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= setInterval(() => {
    now = pageClock.now();
    for (const each of listeners) each();
  }, 1000);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      clearInterval(timer);
      timer = undefined;
    }
  };
}

function read(): number {
  // Between two ticks every reader must see the same moment, so it is read only when no tick runs.
  if (timer === undefined) {
    const fresh = pageClock.now();
    if (fresh - now > 1000) now = fresh;
  }
  return now;
}

/** Unix milliseconds, renewed once a second; one timer for the whole page. */
export const useNow = (): number => useSyncExternalStore(subscribe, read);
