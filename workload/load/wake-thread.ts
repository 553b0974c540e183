import { parentPort, workerData } from 'node:worker_threads';

/** What the thread is given. */
export interface WakeOrder {
  /** Nanoseconds of `process.hrtime.bigint()`, which all threads of a process share. */
  readonly startedAt: bigint;
  /** Milliseconds after `startedAt`, ascending. */
  readonly times: Float64Array;
}

// Sleeps until each of its times and says so. A timer of the event loop is good to a millisecond; this to some tens of
// microseconds, and without keeping a core busy.
const { startedAt, times } = workerData as WakeOrder;
const never = new Int32Array(new SharedArrayBuffer(4));
const elapsed = () => Number(process.hrtime.bigint() - startedAt) / 1e6;
for (let index = 0; index < times.length; index += 1) {
  const wait = (times[index] ?? 0) - elapsed();
  if (wait > 0) Atomics.wait(never, 0, 0, wait);
  // What is due by now is told by one message, because who hears it looks at the time.
  const now = elapsed();
  while ((times[index + 1] ?? Number.POSITIVE_INFINITY) <= now) index += 1;
  parentPort?.postMessage(0);
}
