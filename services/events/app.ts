import { type EventBus, isTransientError, type Subscription } from '@skyrun/bus';
import { Problem } from '@skyrun/contracts';
import { type Authenticator, type Clock, createTicker, type Logger, type ServiceModule } from '@skyrun/kit';
import { createDatabase } from '@skyrun/postgres';
import type { EventsConfig } from './config.ts';
import { createFeed } from './feed/feed.ts';
import { createRecorder, EPHEMERAL_TYPES, HISTORY_TYPES } from './log/recorder.ts';
import { createTail } from './log/tail.ts';
import { createRoutes } from './routes.ts';
import { LOG_CHANNEL } from './store/append.ts';
import { firstPosition, positionOfEvent, readLog } from './store/read.ts';
import type { Db, EventsTables } from './store/tables.ts';

export interface EventsDeps {
  readonly config: EventsConfig;
  readonly databaseUrl: string;
  readonly bus: EventBus;
  /** Checks the tokens of live feed clients as the HTTP server does those of requests. */
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Deliveries in work at once: what a batch of the log can grow to. */
const PREFETCH = 256;
const HOUR_MS = 3_600_000;

export function createEventsService(deps: EventsDeps): ServiceModule {
  const { config, databaseUrl, bus, authenticator, clock, logger } = deps;
  const database = createDatabase({ url: databaseUrl, schema: 'events', applicationName: 'skyrun-events', logger });
  const db: Db = database.kysely<EventsTables>();
  let started = false;

  const recorder = createRecorder({
    inTransaction: (work) => database.transaction((tx) => work(tx.kysely<EventsTables>())),
    retentionDays: config.SKYRUN_EVENT_RETENTION_DAYS,
    isTransient: isTransientError,
    clock,
    logger,
  });
  const tail = createTail({ db, clock, logger, onEvents: (events) => feed.publish(events) });
  const feed = createFeed({
    authenticator,
    clock,
    logger,
    maxBacklog: config.SKYRUN_FEED_BACKLOG,
    maxReplay: config.SKYRUN_FEED_REPLAY,
    livePosition: tail.position,
    read: (range) => readLog(db, range),
    positionOf: (id, project) => positionOfEvent(db, id, project),
    firstPosition: () => firstPosition(db),
    sleep: (ms) => clock.sleep(ms),
    started: () => started,
  });
  const upkeep = createTicker({
    name: 'event-log-upkeep',
    clock,
    logger,
    everyMs: HOUR_MS,
    run: () => recorder.upkeep(),
  });

  const subscriptions: Subscription[] = [];
  let stopped = false;
  const stopListening: (() => Promise<void>)[] = [];

  return {
    name: 'events',
    api: createRoutes((work) => {
      if (!started) throw new Problem('platform.unavailable', { detail: 'events is starting', retryAfterSeconds: 1 });
      return database.transaction(async (tx) => {
        await tx.query("SET LOCAL statement_timeout = '5s'");
        return work(tx.kysely<EventsTables>());
      });
    }),
    attach: (server) => feed.attach(server),
    async start() {
      await database.migrate(new URL('./migrations/', import.meta.url));
      await recorder.upkeep();
      await tail.start();
      stopListening.push(await database.listen(LOG_CHANNEL, () => tail.wake()));
      upkeep.start();
      started = true;
      // The group exists before anybody's first event can be missed; history is readable while the broker is away.
      subscriptions.push(
        await bus.subscribe({
          group: 'events',
          types: HISTORY_TYPES,
          prefetch: PREFETCH,
          handler: (event) => recorder.record(event),
        }),
        await bus.subscribe({
          group: 'events-feed',
          types: EPHEMERAL_TYPES,
          ephemeral: true,
          handler: async (event) => feed.publishEphemeral(event),
        }),
      );
      if (stopped) await Promise.all(subscriptions.map((subscription) => subscription.close()));
    },
    async stop() {
      stopped = true;
      await Promise.all(subscriptions.map((subscription) => subscription.close()));
      await upkeep.stop();
      await tail.stop();
      feed.close();
      for (const stop of stopListening) await stop();
      await database.close();
    },
    ready: () => {
      const consuming = subscriptions.length > 0;
      return {
        ok: started && consuming && bus.ready(),
        checks: {
          started: started ? 'ok' : 'starting',
          bus: consuming && bus.ready() ? 'ok' : 'not connected',
        },
      };
    },
  };
}
