import type { RequestBounds } from './admission.ts';

/** How far a request is, for the bounds that only time can break. Times are monotonic ms. */
export interface Progress {
  /** First byte to last, by the service's timeout. */
  readonly deadline: number;
  readonly bounds: RequestBounds | null;
  /** It went out to an instance and is no tunnel. */
  readonly sent: boolean;
  /** The client's whole request was read. */
  readonly whole: boolean;
  /** Of the response; 0 before its head. */
  readonly status: number;
  /** Of the last piece from the instance, or of the sending. */
  readonly progressAt: number;
  /** When the connection to the instance was begun that has not come about; infinite where there is none. */
  readonly connectingSince: number;
}

export type Overdue = 'deadline' | 'first-byte' | 'idle' | 'connect';

/** The bound that is broken at `now`, or null. */
export function overdue(progress: Progress, connectMs: number, now: number): Overdue | null {
  if (now >= progress.deadline) return 'deadline';
  const { bounds, status } = progress;
  if (bounds !== null && progress.sent) {
    const quiet = now - progress.progressAt;
    if (status === 0)
      return bounds.firstByteMs > 0 && quiet > bounds.firstByteMs && progress.whole ? 'first-byte' : null;
    return bounds.idleMs > 0 && quiet > bounds.idleMs ? 'idle' : null;
  }
  return now - progress.connectingSince > connectMs ? 'connect' : null;
}
