import type { Clock } from '@skyrun/kit';

export interface DestinationsOptions {
  readonly clock: Clock;
  /** Requests to one destination at once, from this process. */
  readonly concurrency: number;
  /** Failures in a row that open the circuit. */
  readonly threshold: number;
  readonly openMs: number;
}

export type Admission =
  | { readonly admitted: true; leave(healthy: boolean | null): void }
  | { readonly admitted: false; readonly waitMs: number; readonly why: 'busy' | 'open' };

/** Milliseconds until a delivery that found no room asks again. */
const BUSY_WAIT_MS = 250;
/** A destination that was quiet for so long is forgotten. */
const FORGET_MS = 3_600_000;

interface State {
  inFlight: number;
  failures: number;
  /** Monotonic ms; 0: closed. */
  openUntil: number;
  usedAt: number;
}

/**
 * The destinations (scheme, host and port) of one process: how many requests each has, and whether it is ill.
 *
 *   closed ──failures in a row──► open ──openMs──► half open: one request ──healthy──► closed
 *                                   ▲                                  └──ill──► open
 */
export function createDestinations({ clock, concurrency, threshold, openMs }: DestinationsOptions) {
  const states = new Map<string, State>();

  function stateOf(origin: string, now: number): State {
    let state = states.get(origin);
    if (!state) {
      for (const [known, { inFlight, usedAt }] of states) {
        if (inFlight === 0 && now - usedAt > FORGET_MS) states.delete(known);
      }
      state = { inFlight: 0, failures: 0, openUntil: 0, usedAt: now };
      states.set(origin, state);
    }
    state.usedAt = now;
    return state;
  }

  /** What this process knows of a destination's circuit. */
  function circuit(destination: string): Circuit {
    const state = states.get(new URL(destination).origin);
    if (!state || state.openUntil === 0) return 'closed';
    return clock.monotonic() < state.openUntil ? 'open' : 'half-open';
  }

  /** A caller that is admitted must leave; `healthy` null says that nothing was learnt. */
  function admit(destination: string): Admission {
    const now = clock.monotonic();
    const state = stateOf(new URL(destination).origin, now);
    if (now < state.openUntil) return { admitted: false, waitMs: state.openUntil - now, why: 'open' };
    const halfOpen = state.openUntil > 0;
    if (state.inFlight >= (halfOpen ? 1 : concurrency)) return { admitted: false, waitMs: BUSY_WAIT_MS, why: 'busy' };
    state.inFlight += 1;
    return {
      admitted: true,
      leave(healthy) {
        state.inFlight -= 1;
        if (healthy === null) return;
        if (healthy) {
          state.failures = 0;
          state.openUntil = 0;
          return;
        }
        state.failures += 1;
        if (halfOpen || state.failures >= threshold) state.openUntil = clock.monotonic() + openMs;
      },
    };
  }

  return { admit, circuit };
}

export type Circuit = 'closed' | 'open' | 'half-open';
export type Admit = ReturnType<typeof createDestinations>['admit'];
