import { makeId } from '@skyrun/contracts';
import { pageClock } from '../clock.ts';

/** One key for one intention: a repeated click or a retried request takes effect once. */
export function makeIdempotencyKey(): string {
  // Not crypto.randomUUID: it exists in secure contexts only, and this page may be open over plain HTTP.
  return makeId('request', { now: pageClock.now(), random: crypto.getRandomValues(new Uint8Array(10)) });
}
