import type { RetryPolicy } from './event-bus.ts';

const TRANSIENT_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'bus.unavailable',
  'ENOSPC',
  // PostgreSQL: serialization, deadlock, lock not available.
  '40001',
  '40P01',
  '55P03',
]);
/** PostgreSQL's classes: connection; out of disk, memory or connections; shutting down, crashed or starting; input/output. */
const TRANSIENT_CLASSES = /^(08|53|57P|58)/;

/**
 * Whether an error tells of a dependency that is away rather than of the event: dead-lettering then would
 * empty a healthy queue into the dead letters for as long as the outage lasts.
 */
export function isTransientError(error: unknown): boolean {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; depth += 1) {
    if ('transient' in current && current.transient === true) return true;
    if ('code' in current && typeof current.code === 'string') {
      if (TRANSIENT_CODES.has(current.code) || isTransientState(current.code)) return true;
    }
    if (/connection terminated|timeout exceeded when trying to connect/i.test(current.message)) return true;
    current = current.cause;
  }
  return false;
}

function isTransientState(code: string): boolean {
  return code.length === 5 && TRANSIENT_CLASSES.test(code);
}

export const DEFAULT_RETRY: RetryPolicy = {
  maxAttempts: 8,
  baseMs: 100,
  maxMs: 30_000,
  isTransient: isTransientError,
};

export type RetryVerdict = 'again' | 'dead';

/** `failures` counts the failed tries that were not transient, the one at hand included. */
export function afterFailure(policy: RetryPolicy, transient: boolean, failures: number): RetryVerdict {
  return transient || failures < policy.maxAttempts ? 'again' : 'dead';
}
