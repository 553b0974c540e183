import { readdirSync, readFileSync } from 'node:fs';
import { constants, setPriority } from 'node:os';

/** Part of what Node calls the threads that compile beside the one that serves. */
const COMPILER = 'V8Worker';
/** Linux tells a process of its threads there. */
const THREADS = '/proc/self/task';

/**
 * V8's compilers get what the thread that serves leaves of its core: a request that comes while they share it does not wait for
 * them. Where a process has but one core, and all of it is used, it takes some seconds longer after a start until everything is
 * compiled. Returns how many there are; 0 where the system does not tell.
 */
export function lowerCompilers(): number {
  let lowered = 0;
  for (const thread of threads()) {
    try {
      if (!readFileSync(`${THREADS}/${thread}/comm`, 'latin1').includes(COMPILER)) continue;
      // By the number of a thread, on Linux, it is this thread's alone.
      setPriority(Number(thread), constants.priority.PRIORITY_LOW);
      lowered += 1;
    } catch {
      // The thread has ended, or the system does not let us: then they run as the others.
    }
  }
  return lowered;
}

function threads(): string[] {
  try {
    return readdirSync(THREADS);
  } catch {
    return [];
  }
}
