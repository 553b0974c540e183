import {
  type Delivery,
  type DeliveryAttempt,
  delivery,
  eventEnvelope,
  Problem,
  type PushSubscription,
  pushSubscription,
} from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { Selectable } from 'kysely';
import { z } from 'zod';
import type { EventsTables } from '../store/tables.ts';

export interface Secret {
  /** As it lies in the database: sealed. */
  readonly value: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** A subscription with what only deliveries may know. */
export interface SubscriptionRecord extends Omit<PushSubscription, 'circuit'> {
  readonly signingSecrets: readonly Secret[];
  readonly fromPosition: bigint;
}

const secretList = z.array(z.object({ value: z.string(), createdAt: z.string() }));

export function toSubscription(row: Selectable<EventsTables['subscriptions']>): SubscriptionRecord {
  const signingSecrets = secretList.parse(row.secrets);
  const shown = pushSubscription.omit({ circuit: true }).parse({
    id: row.id,
    project: row.project,
    name: row.name,
    destination: row.destination,
    filter: row.filter,
    mode: row.mode,
    maxAttempts: row.max_attempts,
    paused: row.paused,
    secrets: signingSecrets.map(({ createdAt }) => ({ createdAt })),
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  });
  return { ...shown, signingSecrets, fromPosition: BigInt(row.from_position) };
}

/** What an API may show. */
export function shownOf(
  { signingSecrets: _, fromPosition: __, ...shown }: SubscriptionRecord,
  circuit: PushSubscription['circuit'],
): PushSubscription {
  return { ...shown, circuit };
}

export function toDelivery(row: Selectable<EventsTables['deliveries']>): Delivery {
  return delivery.parse({
    id: row.id,
    kind: row.kind,
    state: row.state,
    attempts: row.attempts,
    dueAt: row.state === 'waiting' ? row.due_at.toISOString() : null,
    history: row.history,
    event: eventEnvelope.parse(row.event),
    createdAt: row.created_at.toISOString(),
  });
}

export function attemptRecord(
  at: number,
  durationMs: number,
  given: { status: number | null; error: string | null },
): DeliveryAttempt {
  return { at: isoTime(at), durationMs: Math.round(durationMs), ...given };
}

export function notFound(what: string): Problem {
  return new Problem('resource.not_found', { detail: `there is no such ${what} in this project` });
}
