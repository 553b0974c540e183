import { randomBytes } from 'node:crypto';
import { createBus, type EventBus } from '@skyrun/bus';
import { OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, createClient, loadConfig, type ServiceModule, silentLogger } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { serve, testDatabase, testRedisUrl } from '@skyrun/testing';
import type { Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { type Heard, hear, tokenBook } from './events.fixture.ts';
import { createEventsService, eventsConfig } from './index.ts';

interface Replica {
  readonly url: string;
  readonly bus: EventBus;
  stop(): Promise<void>;
}

const authenticator = tokenBook();

/** A service of events on a database and streams of this file's own, from before its first test until after its last. */
export function useReplica() {
  let databaseUrl: string;
  let drop: () => Promise<void>;
  let db: Database;
  let redisUrl: string;
  let namespace: string;
  let replica: Replica;
  let publisher: EventBus;
  const opened: Socket[] = [];

  /** Another replica of the same. */
  const start = async (environment: Record<string, string> = {}): Promise<Replica> => {
    const bus = await createBus({ kind: 'redis', url: redisUrl, namespace, clock, logger: silentLogger });
    const module: ServiceModule = createEventsService({
      config: loadConfig(eventsConfig, environment),
      databaseUrl,
      bus,
      authenticator,
      clock,
      logger: silentLogger,
    });
    const served = await serve(() => ({ modules: [module], authenticator }));
    return {
      url: served.url,
      bus,
      async stop() {
        await served.stop();
        await bus.close();
      },
    };
  };

  beforeAll(async () => {
    const database = await testDatabase('events');
    ({ url: databaseUrl, drop } = database);
    redisUrl = await testRedisUrl();
    namespace = `events-${randomBytes(4).toString('hex')}`;
    db = createDatabase({ url: databaseUrl, schema: 'events', applicationName: 'events-test', logger: silentLogger });
    replica = await start();
    publisher = await createBus({ kind: 'redis', url: redisUrl, namespace, clock, logger: silentLogger });
  });
  afterEach(() => {
    for (const socket of opened.splice(0)) socket.disconnect();
  });
  afterAll(async () => {
    await publisher.close();
    await replica.stop();
    await db.close();
    await drop();
  });

  return {
    start,
    url: () => replica.url,
    /** By the direct way. */
    query: <Row extends object>(sql: string, parameters?: unknown[]) => db.query<Row>(sql, parameters),
    publish: (events: Parameters<EventBus['publish']>[0]) => publisher.publish(events),
    /** History events of a project that are kept. */
    recorded: async (project: string) =>
      (await db.query('select 1 from log where project = $1', [project])).rows.length,
    client: (token: string) => createClient({ baseUrl: replica.url, token: () => token }),
    history: (project: string, query: Record<string, unknown> = {}) =>
      createClient({ baseUrl: replica.url, token: () => `reader:${project}` }).call(OPERATIONS.listProjectEvents, {
        params: { project },
        query,
      }),
    /** Disconnects it after the test. */
    goneAfterwards: (socket: Socket) => void opened.push(socket),
    /** A client of the live feed, gone after the test. */
    connect(token: string, url = replica.url, options: Record<string, unknown> = {}): Heard {
      const heard = hear(url, token, options);
      opened.push(heard.socket);
      return heard;
    },
  };
}
