import { randomBytes } from 'node:crypto';
import {
  type Delivery,
  EVENT_TYPES,
  EVENTS,
  type EventEnvelope,
  isTeamPattern,
  matchesType,
  Problem,
  type PushFilter,
  type PushSubscription,
} from '@skyrun/contracts';
import { type Clock, isoTime, newId } from '@skyrun/kit';
import { lastPosition, positionOfEvent, readLog } from '../store/read.ts';
import type { Db } from '../store/tables.ts';
import { type AddressPolicy, ForbiddenAddressError, permittedAddresses } from './address.ts';
import { sendOnce } from './deliver.ts';
import { insertDeliveries, insertTest, listDeliveries, reviveDelivery } from './delivery-store.ts';
import { takes } from './match.ts';
import { makeSecret } from './message.ts';
import { notFound, type Secret, type SubscriptionRecord, shownOf } from './records.ts';
import type { Sender } from './sender.ts';
import {
  changeSubscription,
  deleteSubscription,
  findSubscription,
  insertSubscription,
  listSubscriptions,
  type SubscriptionChange,
  type SubscriptionKey,
} from './subscription-store.ts';
import type { Vault } from './vault.ts';
import { verdictOf } from './verdict.ts';

const SECRET_BYTES = 32;
/** Valid at once. */
const SECRETS = 2;
const REPLAY_PAGE = 500;
/** Events that one replay looks at. */
const REPLAY_SCAN = 20_000;

export interface SubscriptionsOptions {
  readonly inTransaction: <T>(work: (db: Db) => Promise<T>) => Promise<T>;
  readonly addresses: AddressPolicy;
  readonly sender: Sender;
  readonly vault: Vault;
  readonly circuit: (destination: string) => PushSubscription['circuit'];
  readonly clock: Clock;
  /** There may be something to deliver. */
  readonly wake: () => void;
}

export interface SubscriptionDraft {
  readonly name: string;
  readonly destination: string;
  readonly filter: PushFilter;
  readonly mode: 'binary' | 'structured';
  readonly maxAttempts: number;
}

interface Paging {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

type WithSecret = PushSubscription & { readonly secret: string };

export function createSubscriptions(options: SubscriptionsOptions) {
  const { inTransaction, addresses, sender, vault, clock, wake } = options;
  const shown = (record: SubscriptionRecord) => shownOf(record, options.circuit(record.destination));
  const freshSecret = (): Secret => ({ value: makeSecret(randomBytes(SECRET_BYTES)), createdAt: isoTime(clock.now()) });

  async function requireAllowed(destination: string): Promise<void> {
    const { hostname, username, password, hash } = new URL(destination);
    if (username !== '' || password !== '' || hash !== '') invalid('/destination', 'must have no credentials and no #');
    try {
      await permittedAddresses(hostname, addresses);
    } catch (error) {
      if (error instanceof ForbiddenAddressError) invalid('/destination', error.message);
      invalid('/destination', `${hostname} has no address`);
    }
  }

  async function required(db: Db, key: SubscriptionKey): Promise<SubscriptionRecord> {
    return (await findSubscription(db, key)) ?? missing();
  }

  return {
    async create(project: string, draft: SubscriptionDraft): Promise<WithSecret> {
      requireTypes(draft.filter);
      await requireAllowed(draft.destination);
      const secret = freshSecret();
      const id = newId('subscription', clock);
      const made = await inTransaction(async (db) =>
        insertSubscription(db, {
          ...draft,
          id,
          project,
          secrets: [vault.keep(secret, id)],
          fromPosition: await lastPosition(db),
          now: clock.now(),
        }),
      );
      if (!made)
        throw new Problem('resource.already_exists', { detail: `${project} has a subscription ${draft.name}` });
      return { ...shown(made), secret: secret.value };
    },

    async list(project: string, paging: Paging) {
      return toPage((await inTransaction((db) => listSubscriptions(db, project, paging))).map(shown), paging.limit);
    },

    get: async (key: SubscriptionKey) => shown(await inTransaction((db) => required(db, key))),

    async change(key: SubscriptionKey, change: Omit<SubscriptionChange, 'secrets'>): Promise<PushSubscription> {
      if (change.filter) requireTypes(change.filter);
      if (change.destination !== undefined) await requireAllowed(change.destination);
      const changed = await inTransaction((db) => changeSubscription(db, key, change, clock.now()));
      wake();
      return shown(changed ?? missing());
    },

    async remove(key: SubscriptionKey): Promise<void> {
      if (!(await inTransaction((db) => deleteSubscription(db, key)))) missing();
    },

    async rotate(key: SubscriptionKey): Promise<WithSecret> {
      const secret = freshSecret();
      const changed = await inTransaction(async (db) => {
        const { signingSecrets } = await required(db, key);
        const secrets = [vault.keep(secret, key.id), ...signingSecrets].slice(0, SECRETS);
        return changeSubscription(db, key, { secrets }, clock.now());
      });
      return { ...shown(changed ?? missing()), secret: secret.value };
    },

    async test(key: SubscriptionKey, signal: AbortSignal): Promise<Delivery> {
      const subscription = await inTransaction((db) => required(db, key));
      const event = testEvent(subscription, clock);
      const { outcome, attempt } = await sendOnce({ sender, clock, vault }, subscription, event, signal);
      const state = verdictOf(outcome) === 'delivered' ? 'delivered' : 'refused';
      const id = newId('delivery', clock);
      return inTransaction((db) =>
        insertTest(db, { id, subscriptionId: subscription.id, event, state, attempt }, clock.now()),
      );
    },

    async replay(key: SubscriptionKey, from: { since: string } | { eventId: string }) {
      const result = await inTransaction(async (db) => {
        const { id, project, filter } = await required(db, key);
        let after =
          'since' in from ? 0n : ((await positionOfEvent(db, from.eventId, project)) ?? missing('event')) - 1n;
        const since = 'since' in from ? { since: Date.parse(from.since) } : {};
        const until = await lastPosition(db);
        let queued = 0;
        for (let seen = 0; ; ) {
          const events = await readLog(db, { after, until, project, ...since, limit: REPLAY_PAGE });
          const [first] = events;
          if (!first) return { queued, next: null };
          if (seen >= REPLAY_SCAN) return { queued, next: first.event.id };
          const wanted = events.filter(({ event }) => takes(filter, event));
          const deliveries = wanted.map(({ event }) => ({
            id: newId('delivery', clock),
            subscriptionId: id,
            kind: 'replay' as const,
            event,
          }));
          await insertDeliveries(db, deliveries, clock.now());
          queued += wanted.length;
          seen += events.length;
          after = events.at(-1)?.position ?? after;
        }
      });
      wake();
      return result;
    },

    async deliveries(key: SubscriptionKey, query: Paging & { readonly state?: string | undefined }) {
      const items = await inTransaction(async (db) => {
        const { id } = await required(db, key);
        return listDeliveries(db, id, query);
      });
      return toPage(items, query.limit);
    },

    async retry(key: SubscriptionKey, id: string): Promise<Delivery> {
      const revived = await inTransaction(async (db) => {
        const { id: subscriptionId } = await required(db, key);
        return reviveDelivery(db, { subscriptionId, id }, clock.now());
      });
      if (revived === 'none') return missing('delivery');
      if (revived === 'busy') throw new Problem('resource.conflict', { detail: 'it is neither refused nor dead' });
      wake();
      return revived;
    },
  };
}

export type Subscriptions = ReturnType<typeof createSubscriptions>;

function toPage<Item extends { readonly id: string }>(items: readonly Item[], limit: number) {
  const shown = items.slice(0, limit);
  return { items: shown, nextCursor: items.length > limit ? (shown.at(-1)?.id ?? null) : null };
}

function testEvent({ id, project, name }: SubscriptionRecord, clock: Clock): EventEnvelope {
  return {
    specversion: '1.0',
    id: newId('event', clock),
    source: '/skyrun/events',
    type: 'skyrun.subscription.tested.v1',
    subject: `subscriptions/${project}/${name}`,
    time: isoTime(clock.now()),
    datacontenttype: 'application/json',
    project,
    sequence: 0,
    data: { id, project, name },
  };
}

function requireTypes({ types }: PushFilter): void {
  const history = EVENT_TYPES.filter((type) => EVENTS[type].retention === 'history');
  types.forEach((pattern, index) => {
    if (isTeamPattern(pattern) || history.some((type) => matchesType(pattern, type))) return;
    invalid(`/filter/types/${index}`, 'no event type of the history matches; expected one such as skyrun.instance.*');
  });
}

function invalid(field: string, message: string): never {
  throw new Problem('request.invalid', { detail: `${field}: ${message}`, errors: [{ field, message }] });
}

function missing(what = 'subscription'): never {
  throw notFound(what);
}
