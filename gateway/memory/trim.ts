import { getHeapStatistics } from 'node:v8';

const MEBIBYTE = 1_048_576;
/** A burst of requests that comes within this after another finds its code compiled. */
const QUIET_MS = 12_000;
const MOST_QUIET_MS = 300_000;
const EVERY_MS = 15_000;
/** Requests for which a gateway costs more after a collection, until V8 has compiled its code again. */
const LOAD = 10_000;
/** Load that comes back within this after a collection shows that it was too early. */
const SOON_MS = 60_000;
/** What is worth a pause. */
const GROWN_BYTES = 4 * MEBIBYTE;
/** A heap of so much is collected in about 0.1 s; a larger one is left to V8, which does it in steps. */
const MOST_BYTES = 64 * MEBIBYTE;

export interface HeapSize {
  /** In use, garbage included. */
  readonly used: number;
  /** Held from the kernel. */
  readonly held: number;
}

/** What a gateway lets go of once nobody asks it for anything. */
export interface HeapTrim {
  /** At once, if the heap is small enough for it: nobody waits for the gateway yet. */
  now(): void;
  /**
   * Called every second or so.
   * @param load.activity counts up with whatever clients do; it standing still is quiet
   * @param load.busy requests are in flight
   * @param monotonic ms
   */
  look(load: { readonly activity: number; readonly busy: boolean }, monotonic: number): void;
}

/**
 * Loading and load leave V8's heap twice as large as what is in it, and V8 gives that back over minutes, if at all.
 * Collecting everything halts the process, so it is done only when it has been quiet, and seldom. It also takes much of
 * what V8 had compiled: the first 10,000 requests after it may cost twice as much. So each time that load comes back soon, the quiet that is waited for doubles, up to five minutes.
 */
export function createHeapTrim({
  collect = globalThis.gc === undefined ? null : () => globalThis.gc?.({ type: 'major', flavor: 'last-resort' }),
  size = heapSize,
}: {
  /** Null, which it is without `--expose-gc`: nothing is ever trimmed. */
  collect?: (() => void) | null;
  size?: () => HeapSize;
} = {}): HeapTrim {
  let heldAfter = 0;
  let seen = -1;
  let quietSince = 0;
  let quietMs = QUIET_MS;
  let trimmedAt = Number.NEGATIVE_INFINITY;
  /** Of the last collection whose moment is not judged yet. */
  let trimmedActivity: number | null = null;

  /** False: nothing was collected. */
  const trim = () => {
    if (collect === null || size().used > MOST_BYTES) return false;
    collect();
    heldAfter = size().held;
    return true;
  };
  const judge = (activity: number, monotonic: number) => {
    if (trimmedActivity === null || activity - trimmedActivity < LOAD) return;
    trimmedActivity = null;
    quietMs = monotonic - trimmedAt < SOON_MS ? Math.min(MOST_QUIET_MS, 2 * quietMs) : QUIET_MS;
  };
  return {
    now() {
      trim();
    },
    look({ activity, busy }, monotonic) {
      judge(activity, monotonic);
      if (busy || activity !== seen) {
        seen = activity;
        quietSince = monotonic;
      }
      if (monotonic - quietSince < quietMs || monotonic - trimmedAt < EVERY_MS) return;
      if (size().held - heldAfter < GROWN_BYTES) return;
      trimmedAt = monotonic;
      if (trim()) trimmedActivity = activity;
    },
  };
}

function heapSize(): HeapSize {
  // Without what lies outside of the heap: read buffers come and go by megabytes with the calls of the gateway's own.
  const { used_heap_size: used, total_physical_size: held } = getHeapStatistics();
  return { used, held };
}
