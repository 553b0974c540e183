import { randomFillSync } from 'node:crypto';
import { type IdKind, makeId } from '@skyrun/contracts';
import type { Clock } from './clock.ts';

const POOL_BYTES = 10 * 512;
const pool = new Uint8Array(POOL_BYTES);
let used = POOL_BYTES;

/** A fresh id of one kind; random bytes are drawn in blocks because each draw is a system call. */
export function newId(kind: IdKind, clock: Clock): string {
  if (used >= POOL_BYTES) {
    randomFillSync(pool);
    used = 0;
  }
  const random = pool.subarray(used, used + 10);
  used += 10;
  return makeId(kind, { now: clock.now(), random });
}
