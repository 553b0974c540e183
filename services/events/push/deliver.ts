import { randomInt } from 'node:crypto';
import { backoff, type Clock, type Logger } from '@skyrun/kit';
import type { Db } from '../store/tables.ts';
import { findWaiting, postpone, recordAttempt, unqueue } from './delivery-store.ts';
import type { Admit } from './destinations.ts';
import { signatureHeaders, toMessage } from './message.ts';
import { attemptRecord, type SubscriptionRecord } from './records.ts';
import type { Sender } from './sender.ts';
import type { Vault } from './vault.ts';
import { isDestinationIll, type Outcome, verdictOf } from './verdict.ts';

const MAX_PAUSE_MS = 3_600_000;
/** A delivery that is older is not tried again, whatever its number of tries: its destination has been ill all the time. */
const MAX_AGE_MS = 3 * 86_400_000;
/** Deliveries that waited for the same circuit come back spread over so long. */
const SPREAD_MS = 1_000;

export interface DeliverOptions {
  readonly db: Db;
  readonly sender: Sender;
  readonly vault: Vault;
  readonly admit: Admit;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Milliseconds. */
  readonly retryMs: number;
}

/** Nothing goes out unsigned. */
const NO_SECRET: Outcome = { kind: 'failed', error: 'its secret cannot be opened with this key secret; rotate it' };

export type EventToSend = Parameters<typeof toMessage>[0];

/** Signs and sends once; `attempt` is what the delivery log shows. */
export async function sendOnce(
  { sender, clock, vault }: Pick<DeliverOptions, 'sender' | 'clock' | 'vault'>,
  { id, destination, mode, signingSecrets }: SubscriptionRecord,
  event: EventToSend,
  signal: AbortSignal,
) {
  const startedAt = clock.now();
  const started = clock.monotonic();
  const { headers, body } = toMessage(event, mode);
  const secrets = signingSecrets.flatMap((secret) => vault.open(secret, id) ?? []);
  const signature = signatureHeaders({ id: event.id, timestamp: Math.floor(startedAt / 1000), body }, secrets);
  const outcome: Outcome =
    secrets.length === 0
      ? NO_SECRET
      : await sender.send(destination, { headers: { ...headers, ...signature }, body }, signal);
  const attempt = attemptRecord(startedAt, clock.monotonic() - started, describe(outcome));
  return { outcome, attempt };
}

/**
 * Tries one delivery. Returns when it is to be tried again, in Unix milliseconds, or null when there is nothing more to do.
 * A receiver may get it twice: when this process dies between the answer and the record of it.
 */
export function createDeliver(options: DeliverOptions) {
  const { db, admit, clock, logger, retryMs } = options;
  const pause = backoff({ baseMs: retryMs, maxMs: MAX_PAUSE_MS });

  return async function deliver(id: string, signal: AbortSignal): Promise<number | null> {
    const due = await findWaiting(db, id);
    if (!due) return null;
    const { delivery, subscription } = due;
    if (subscription.paused) {
      // The queue forgets it until the subscription goes on.
      await unqueue(db, [id]);
      return null;
    }
    const admission = admit(subscription.destination);
    const expired = clock.now() - Date.parse(delivery.createdAt) > MAX_AGE_MS;
    if (!admission.admitted && !expired) {
      const at = clock.now() + admission.waitMs + randomInt(admission.why === 'open' ? SPREAD_MS : admission.waitMs);
      await postpone(db, id, at);
      return at;
    }
    let healthy: boolean | null = null;
    try {
      const { outcome, attempt } = await sendOnce(options, subscription, delivery.event, signal);
      healthy = !isDestinationIll(outcome);
      const verdict = verdictOf(outcome);
      const spent = expired || delivery.attempts + 1 >= subscription.maxAttempts;
      const again = verdict === 'again' && !spent;
      const wait = Math.max(pause(delivery.attempts + 1), retryAfterMs(outcome));
      const at = again ? clock.now() + wait : clock.now();
      const state = again ? 'waiting' : verdict === 'again' ? 'dead' : verdict;
      await recordAttempt(db, delivery, { state, at, attempt });
      if (state === 'dead') logger.warn({ delivery: id, subscription: subscription.id }, 'push delivery is dead');
      return again ? at : null;
    } finally {
      if (admission.admitted) admission.leave(healthy);
    }
  };
}

function retryAfterMs(outcome: Outcome): number {
  return outcome.kind === 'answered' ? (outcome.retryAfterMs ?? 0) : 0;
}

function describe(outcome: Outcome): { status: number | null; error: string | null } {
  return outcome.kind === 'answered' ? { status: outcome.status, error: null } : { status: null, error: outcome.error };
}
