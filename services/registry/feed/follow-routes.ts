import { FEED_HEARTBEAT_MS, frameParts, type RouteFrame } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import type { RouteLog } from './route-log.ts';

/** Wakes everyone who waits for the next change of the table. */
export interface ChangeSignal {
  raise(): void;
  /** Resolves at the next change, after `ms`, or when the signal aborts. */
  wait(ms: number, signal: AbortSignal): Promise<void>;
}

export function createChangeSignal(clock: Clock): ChangeSignal {
  const waiting = new Set<() => void>();
  return {
    raise() {
      for (const wake of [...waiting]) wake();
    },
    wait(ms, signal) {
      return new Promise((resolve) => {
        const done = () => {
          cancel();
          waiting.delete(done);
          signal.removeEventListener('abort', done);
          resolve();
        };
        const cancel = clock.setTimeout(ms, done);
        waiting.add(done);
        signal.addEventListener('abort', done, { once: true });
        if (signal.aborted) done();
      });
    },
  };
}

interface Following {
  readonly log: RouteLog;
  readonly changes: ChangeSignal;
  readonly clock: Clock;
  readonly position: { readonly epoch: string; readonly version: number } | null;
  readonly signal: AbortSignal;
  /** Called when the reader has not taken a frame for `stallMs`; must end the connection. */
  readonly onStall: () => void;
  readonly stallMs?: number;
}

/** A reader that takes nothing for so long is cut off; it reconnects where it was. Milliseconds. */
const STALL_MS = 5 * FEED_HEARTBEAT_MS;

/**
 * The frames of one reader. Nothing is queued for it: when it is ready for a frame, it gets all that changed since the
 * last one in one delta, so a slow reader costs the memory of one.
 */
export async function* followRoutes(following: Following): AsyncGenerator<RouteFrame> {
  const { log, changes, clock, signal, onStall, stallMs = STALL_MS } = following;
  let position = following.position;
  let first = true;
  while (!signal.aborted) {
    if (first || position?.version !== log.version()) {
      // Only a first frame may be a snapshot: a reader that fell out of the log reconnects.
      if (!first && position !== null && !log.reaches(position.version)) return;
      const frame = log.frameSince(position);
      first = false;
      position = { epoch: frame.epoch, version: frame.version };
      for (const part of frameParts(frame)) {
        const taken = clock.setTimeout(stallMs, onStall);
        yield part;
        taken();
      }
      continue;
    }
    await changes.wait(FEED_HEARTBEAT_MS, signal);
    if (signal.aborted || position.version !== log.version()) continue;
    const taken = clock.setTimeout(stallMs, onStall);
    yield { kind: 'heartbeat', epoch: position.epoch, version: position.version };
    taken();
  }
}
