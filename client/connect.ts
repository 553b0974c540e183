import { once } from 'node:events';
import {
  type BusKind,
  createBus,
  type DeadLetters,
  type DeliveryContext,
  observeBus,
  type RetryPolicy,
} from '@skyrun/bus';
import {
  type AnyEvent,
  type EventEnvelope,
  type EventSchema,
  matchesType,
  OPERATIONS,
  type TeamEventType,
  typeSet,
} from '@skyrun/contracts';
import {
  type Client,
  type Clock,
  createClient,
  createLogger,
  currentTraceparent,
  inConsumerSpan,
  type Logger,
  newId,
  systemClock,
} from '@skyrun/kit';
import type { Database, Transaction } from '@skyrun/postgres';
import { settled } from './acknowledge.ts';
import { untilAnswered } from './answered.ts';
import { applyOnce } from './inbox.ts';
import { keepPresent, type Presence } from './presence.ts';
import { createSchemaBook, type TypeDescription } from './schemas.ts';
import type { DataOf, EventOf, Handler, HandlerContext } from './types.ts';

export interface SkyrunOptions {
  /** `redis` for one machine, `rabbitmq` for the distributed shape; `memory` for your tests. */
  readonly kind: BusKind;
  /** `redis://…` or `amqp://…`. */
  readonly url?: string;
  /** Your team service's name: all its processes share one copy of the events. */
  readonly group: string;
  /** false: all processes share the work, without an order between them. true (default): see README. */
  readonly ordered?: boolean;
  /** Most events that are not acknowledged at once, and so how far the broker runs ahead of you; 64 by default. */
  readonly prefetch?: number;
  /** `automatic` (default): a handler that ends well has done it. `manual`: `context.ack()` says so. */
  readonly acknowledge?: 'automatic' | 'manual';
  /** Your team's project; needed to publish, and shown in the catalogue. */
  readonly project?: string;
  /** Skyrun's HTTP API; needed to publish and to be found. */
  readonly api?: { readonly url: string; readonly token: () => string | Promise<string> };
  readonly retry?: Partial<RetryPolicy>;
  readonly logger?: Logger;
  readonly clock?: Clock;
  /** As the operator set it; `skyrun` by default. */
  readonly namespace?: string;
}

export interface Skyrun {
  /**
   * Registers a handler; of several that match an event, all run, one after the other, in the order of registration, and the
   * event is done when all have ended well. Before `start` only.
   * @throws InvalidEventError `unknown_type` when the pattern means no event type
   */
  on<const Pattern extends string>(pattern: Pattern, handler: Handler<Pattern>): Skyrun;
  /**
   * Like `on`, with the effect and its mark in one transaction of your own PostgreSQL: however often an event comes, it takes
   * effect once. `key` names what must not count twice where that is not the event itself, as usage has it.
   */
  onceEach<const Pattern extends string>(
    pattern: Pattern,
    db: Database,
    effect: (tx: Transaction, event: EventOf<Pattern>) => Promise<void>,
    key?: (event: EventOf<Pattern>) => string,
  ): Skyrun;
  /** Registers the schema of one of your types, or its next version. */
  describe(type: TeamEventType, description: TypeDescription): Promise<EventSchema>;
  /**
   * Publishes an event of your own type. Once it resolves, Skyrun has it for good and every consumer will get it, once. While
   * Skyrun does not answer it is sent again for half a minute; to go on after that, or after a crash, give it an `id` of your own
   * and send it again within a day.
   * @throws InvalidEventError when it does not fit the registered schema; nothing is sent then
   */
  publish<const Type extends TeamEventType>(
    type: Type,
    event: { readonly subject: string; readonly data: DataOf<Type>; readonly id?: string },
  ): Promise<EventEnvelope>;
  /** Lets others find this copy of your service until it stops. */
  present(presence: Presence): Promise<void>;
  /** Resolves when the events flow. Waits for a broker that is away. */
  start(): Promise<void>;
  /** Starts nothing new, waits for the handlers that run, disconnects. May be called before start, and twice. */
  stop(): Promise<void>;
  /** Resolves after SIGTERM or SIGINT, when all is stopped gracefully. */
  untilStopped(): Promise<void>;
  ready(): boolean;
  /** What this group could not handle: list, replay, discard. */
  readonly deadLetters: DeadLetters;
}

interface Registration {
  readonly pattern: string;
  handle(event: AnyEvent, context: HandlerContext): Promise<void>;
}

/** Publishes that one process has under way at once; more wait for their turn. */
const MAX_PUBLISHING = 32;

/** Connects a team service to the events of a Skyrun installation. */
export async function connectSkyrun(options: SkyrunOptions): Promise<Skyrun> {
  const { group, ordered = true, prefetch, acknowledge = 'automatic', project, clock = systemClock } = options;
  const logger = options.logger ?? createLogger({ service: group });
  const broker = await createBus({
    kind: options.kind,
    clock,
    logger,
    ...(options.url === undefined ? {} : { url: options.url }),
    ...(options.namespace === undefined ? {} : { namespace: options.namespace }),
    ...(options.retry === undefined ? {} : { retry: options.retry }),
  });
  const bus = observeBus({ bus: broker, clock, logger, ...(project === undefined ? {} : { project }) });
  const registrations: Registration[] = [];
  const presences: ReturnType<typeof keepPresent>[] = [];
  const publishing = new Set<Promise<unknown>>();
  let api: { client: Client; project: string; book: ReturnType<typeof createSchemaBook> } | undefined;
  let started: Promise<unknown> | undefined;
  let stopped: Promise<void> | undefined;

  const handler = (event: AnyEvent, context: DeliveryContext) =>
    inConsumerSpan(`${group} ${event.type}`, event.traceparent, () =>
      settled(acknowledge, context, async (own) => {
        for (const { pattern, handle } of registrations) if (matchesType(pattern, event.type)) await handle(event, own);
      }),
    );

  function requireApi() {
    if (api) return api;
    if (!options.api || project === undefined) {
      throw new Error(
        'to publish and to be found, give `api` and `project` (SKYRUN_URL, SKYRUN_TOKEN, SKYRUN_PROJECT)',
      );
    }
    const client = createClient({ baseUrl: options.api.url, token: options.api.token });
    api = { client, project, book: createSchemaBook(client, project) };
    return api;
  }

  const stop = async () => {
    await Promise.all(presences.map((presence) => presence.stop()));
    await bus.close();
    await Promise.allSettled(publishing);
  };

  const skyrun: Skyrun = {
    on(pattern, handle) {
      if (started) throw new Error('register handlers before start: a group has one set of types');
      typeSet([pattern]);
      registrations.push({
        pattern,
        handle: async (event, context) => {
          if (isOf(pattern, event)) await handle(event, context);
        },
      });
      return skyrun;
    },
    onceEach: (pattern, db, effect, key) =>
      skyrun.on(pattern, async (event) => {
        const identity = key ? { source: pattern, id: key(event) } : event;
        await db.transaction((tx) => applyOnce(tx, group, identity, () => effect(tx, event)));
      }),
    describe: (type, description) => requireApi().book.describe(type, description),
    async publish(type, { subject, data, id = newId('event', clock) }) {
      const { client, project: own, book } = requireApi();
      await book.require(type, data);
      while (publishing.size >= MAX_PUBLISHING) await Promise.race(publishing);
      const traceparent = currentTraceparent();
      const event = { id, type, subject, data, source: group, ...(traceparent === undefined ? {} : { traceparent }) };
      const sent = untilAnswered(clock, () =>
        client.call(OPERATIONS.publishEvents, { params: { project: own }, body: { events: [event] } }),
      );
      const quiet = sent.then(
        () => undefined,
        () => undefined,
      );
      publishing.add(quiet);
      void quiet.then(() => publishing.delete(quiet));
      const [published] = (await sent).items;
      if (!published) throw new Error('Skyrun took the event and did not say which it is');
      return published;
    },
    async present(presence) {
      const { client, project: own } = requireApi();
      const kept = keepPresent({ client, project: own, presence, clock, logger });
      presences.push(kept);
      await kept.start();
    },
    async start() {
      const types = registrations.map(({ pattern }) => pattern);
      started ??= bus.subscribe({ group, types, ordered, handler, ...(prefetch === undefined ? {} : { prefetch }) });
      await started;
    },
    stop() {
      stopped ??= stop();
      return stopped;
    },
    async untilStopped() {
      await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
      await skyrun.stop();
    },
    ready: () => bus.ready(),
    deadLetters: bus.deadLetters(group),
  };
  return skyrun;
}

function isOf<Pattern extends string>(pattern: Pattern, event: AnyEvent): event is AnyEvent & EventOf<Pattern> {
  return matchesType(pattern, event.type);
}
