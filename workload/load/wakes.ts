import { Worker } from 'node:worker_threads';
import type { Arrivals } from './arrivals.ts';
import type { WakeOrder } from './wake-thread.ts';

/**
 * Calls `onDue` whenever arrivals are due, exact to some tens of microseconds, with how many of them are by then, and
 * resolves after the last. The thread that sleeps for it is no other's: requests are sent by the caller's.
 */
export function wakeAt(arrivals: Arrivals, onDue: (due: number, startedAt: number) => void): Promise<void> {
  const list: number[] = [];
  for (let time = arrivals.at(0); time !== null; time = arrivals.at(list.length)) list.push(time);
  const times = Float64Array.from(list);
  return new Promise((resolve, reject) => {
    // In this order: what the thread takes for due must be due here, too.
    const startedAt = performance.now() + LEAD_MS;
    const order: WakeOrder = { startedAt: process.hrtime.bigint() + BigInt(LEAD_MS * 1e6), times };
    const worker = new Worker(new URL('./wake-thread.ts', import.meta.url), { workerData: order });
    let due = 0;
    worker.on('message', () => {
      const now = performance.now() - startedAt;
      const before = due;
      while (due < times.length && (times[due] ?? 0) <= now) due += 1;
      if (due > before) onDue(due, startedAt);
    });
    worker.once('error', reject);
    worker.once('exit', () => {
      if (due < times.length) onDue(times.length, startedAt);
      resolve();
    });
  });
}

/** How long the thread has to start before the first arrival. */
const LEAD_MS = 200;
