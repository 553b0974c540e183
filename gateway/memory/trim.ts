import { getHeapStatistics } from 'node:v8';

const MEBIBYTE = 1_048_576;
/** Longer than idle connections to instances are kept, so that their buffers are let go with the rest. */
const QUIET_MS = 6000;
const EVERY_MS = 15_000;
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
   * @param active counts up with whatever clients do; it standing still is quiet
   * @param monotonic ms
   */
  look(active: number, monotonic: number): void;
}

/**
 * Loading and load leave V8's heap twice as large as what is in it, and V8 gives that back over minutes, if at all.
 * Collecting everything halts the process, so it is done only when it has been quiet, and seldom.
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
  let trimmedAt = Number.NEGATIVE_INFINITY;

  const trim = () => {
    if (collect === null || size().used > MOST_BYTES) return;
    collect();
    heldAfter = size().held;
  };
  return {
    now: trim,
    look(active, monotonic) {
      if (active !== seen) {
        seen = active;
        quietSince = monotonic;
      }
      if (monotonic - quietSince < QUIET_MS || monotonic - trimmedAt < EVERY_MS) return;
      if (size().held - heldAfter < GROWN_BYTES) return;
      trimmedAt = monotonic;
      trim();
    },
  };
}

function heapSize(): HeapSize {
  // Without what lies outside of the heap: read buffers come and go by megabytes with the calls of the gateway's own.
  const { used_heap_size: used, total_physical_size: held } = getHeapStatistics();
  return { used, held };
}
