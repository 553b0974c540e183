import { type EventBus, isTransientError, type Subscription } from '@skyrun/bus';
import { type AnyEvent, PLATFORM_GROUPS, Problem } from '@skyrun/contracts';
import {
  type Authenticator,
  type Clock,
  createTicker,
  type Logger,
  type Metrics,
  type ServiceModule,
} from '@skyrun/kit';
import { createDatabase, createOutboxRelay, type Transaction } from '@skyrun/postgres';
import type { EventsConfig } from './config.ts';
import { createGroups } from './consumers/groups.ts';
import { ObservedWindow } from './consumers/window.ts';
import { createDeadLetterDesk } from './dead-letters/desk.ts';
import { watchGrowth } from './dead-letters/growth.ts';
import { createFeed } from './feed/feed.ts';
import { createRecorder, EPHEMERAL_TYPES } from './log/recorder.ts';
import { createTail } from './log/tail.ts';
import { createMap } from './map/map.ts';
import { resolveHost } from './push/address.ts';
import { createPush } from './push/push.ts';
import { subscriptionsOf } from './push/subscription-store.ts';
import { createHealthChecks } from './registrations/health.ts';
import { createRegistrations, REGISTRATIONS_CHANNEL } from './registrations/registrations.ts';
import { createTeamRoutes } from './registrations/team-routes.ts';
import { createWatch } from './registrations/watch.ts';
import { createRoutes } from './routes.ts';
import { createCatalogue } from './schemas/catalogue.ts';
import { createPublish } from './schemas/publish.ts';
import { forgetIds } from './schemas/published.ts';
import { createSchemas } from './schemas/schemas.ts';
import { LOG_CHANNEL } from './store/append.ts';
import { firstPosition, type LoggedEvent, type LogRange, positionOfEvent, readLog } from './store/read.ts';
import type { Db, EventsTables } from './store/tables.ts';
import { createStreams } from './stream/streams.ts';

export interface EventsDeps {
  readonly config: EventsConfig;
  readonly databaseUrl: string;
  readonly bus: EventBus;
  /** Checks the tokens of live feed clients as the HTTP server does those of requests. */
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics?: Metrics;
  /** Prefix of the push queue's keys; `skyrun` by default. */
  readonly queuePrefix?: string;
}

/** Deliveries in work at once: what a batch of the log can grow to. */
const PREFETCH = 256;
const HOUR_MS = 3_600_000;

export function createEventsService(deps: EventsDeps): ServiceModule {
  const { config, databaseUrl, bus, authenticator, clock, logger } = deps;
  const database = createDatabase({ url: databaseUrl, schema: 'events', applicationName: 'skyrun-events', logger });
  const db: Db = database.kysely<EventsTables>();
  let started = false;

  const inTransaction = <T>(work: (db: Db) => Promise<T>) =>
    database.transaction((tx) => work(tx.kysely<EventsTables>()));

  const transaction = <T>(work: (tx: Transaction) => Promise<T>) => database.transaction(work);

  const recorder = createRecorder({
    inTransaction,
    retentionDays: config.SKYRUN_EVENT_RETENTION_DAYS,
    isTransient: isTransientError,
    clock,
    logger,
  });
  const tail = createTail({ db, clock, logger, onEvents });
  const livePlace = {
    livePosition: tail.position,
    reachEnd: tail.reachEnd,
    read: (range: LogRange) => readLog(db, range),
    positionOf: (id: string, project: string | null) => positionOfEvent(db, id, project),
    firstPosition: () => firstPosition(db),
  };
  const feed = createFeed({
    authenticator,
    clock,
    logger,
    maxBacklog: config.SKYRUN_FEED_BACKLOG,
    maxReplay: config.SKYRUN_FEED_REPLAY,
    ...livePlace,
    sleep: (ms) => clock.sleep(ms),
    started: () => started,
  });
  const streams = createStreams({ ...livePlace, clock, logger, maxBacklog: config.SKYRUN_FEED_BACKLOG });
  function onEvents(events: readonly LoggedEvent[]): void {
    feed.publish(events);
    streams.publish(events);
    push?.wake();
  }
  const registrations = createRegistrations({ db, clock });
  const watch = createWatch({ registrations, clock });
  const addresses = { resolve: resolveHost, allowPrivate: config.SKYRUN_WEBHOOK_ALLOW_PRIVATE };
  const teamRoutes = createTeamRoutes({ registrations, addresses, clock });
  const health = createHealthChecks({ registrations, addresses, clock, logger });
  const groups = createGroups({ db, clock });
  const seen = new ObservedWindow();
  const desk = createDeadLetterDesk(bus, groups);
  const growth = watchGrowth({ desk, groups, transaction, metrics: deps.metrics, clock, logger });
  const relay = createOutboxRelay({ db: database, bus, clock, logger });
  const { SKYRUN_REDIS_URL: redisUrl, SKYRUN_WEBHOOK_KEY_SECRET: keySecret } = config;
  const push =
    redisUrl === undefined || keySecret === undefined
      ? null
      : createPush({
          db,
          inTransaction,
          config,
          redisUrl,
          keySecret,
          queuePrefix: deps.queuePrefix ?? 'skyrun',
          resolve: resolveHost,
          clock,
          logger,
        });
  const upkeep = createTicker({
    name: 'event-log-upkeep',
    clock,
    logger,
    everyMs: HOUR_MS,
    async run() {
      await recorder.upkeep();
      await registrations.forgetExpired();
      await forgetIds(db, clock.now());
    },
  });

  const subscriptions: Subscription[] = [];
  let unlisten: (() => Promise<void>) | undefined;
  let unwatch: (() => Promise<void>) | undefined;
  let stopping: Promise<void> | undefined;

  async function subscribe(): Promise<void> {
    // One after the other, so that a stop in between finds all there are.
    for (const options of [
      {
        ...PLATFORM_GROUPS.events,
        prefetch: PREFETCH,
        handler: (event: AnyEvent) => recorder.record(event),
      },
      {
        group: 'events-feed',
        types: EPHEMERAL_TYPES,
        ephemeral: true,
        handler: async (event: AnyEvent) => {
          seen.add(event, clock.now());
          if (event.type === 'skyrun.flow.observed.v1') await groups.heard(event.data);
          // Of many projects at once, and of no use but for the map.
          else if (event.type !== 'skyrun.calls.observed.v1') feed.publishEphemeral(event);
        },
      },
    ]) {
      const subscription = await bus.subscribe(options);
      if (stopping) await subscription.close();
      else subscriptions.push(subscription);
    }
  }

  function requireStarted(): void {
    if (!started) throw new Problem('platform.unavailable', { detail: 'events is starting', retryAfterSeconds: 1 });
  }

  async function begin(): Promise<void> {
    await database.migrate(new URL('./migrations/', import.meta.url));
    await recorder.upkeep();
    await tail.start();
    unlisten = await database.listen(LOG_CHANNEL, () => tail.wake());
    unwatch = await database.listen(REGISTRATIONS_CHANNEL, (project) => watch.tell(project));
    await relay.start();
    upkeep.start();
    health.start();
    growth.start();
    await push?.prepare();
    // History can be read while the broker is away.
    started = true;
    push?.start();
    await subscribe();
  }

  async function stop(): Promise<void> {
    await Promise.all(subscriptions.map((subscription) => subscription.close()));
    await Promise.all([upkeep.stop(), health.stop(), growth.stop()]);
    await relay.stop();
    await push?.stop();
    await tail.stop();
    feed.close();
    streams.close();
    await unlisten?.();
    await unwatch?.();
    await database.close();
  }

  return {
    name: 'events',
    api: createRoutes({
      requireStarted,
      desk,
      registrations,
      health,
      watch,
      teamRoutes,
      schemas: createSchemas({ db, transaction, clock }),
      publish: createPublish({ transaction, clock }),
      catalogue: createCatalogue({ db, groups, subscriptions: (project) => subscriptionsOf(db, project), clock }),
      drawMap: createMap({ db, groups, seen, registrations, clock }),
      subscriptions: () => {
        requireStarted();
        return push?.subscriptions ?? null;
      },
      streams,
      read: (work) =>
        database.transaction(async (tx) => {
          await tx.query("SET LOCAL statement_timeout = '5s'");
          return work(tx.kysely<EventsTables>());
        }),
    }),
    attach: (server) => feed.attach(server),
    async start() {
      if (stopping) return;
      try {
        await begin();
      } catch (error) {
        // A stop that came during the start has closed what the start still needed.
        if (!stopping) throw error;
        await stopping;
      }
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    ready: () => {
      const consuming = subscriptions.length === 2 && bus.ready();
      return {
        ok: started && consuming,
        checks: { started: started ? 'ok' : 'starting', bus: consuming ? 'ok' : 'not connected' },
      };
    },
  };
}
