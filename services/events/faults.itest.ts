import { createBus, type EventBus } from '@skyrun/bus';
import { LIVE_FEED, OPERATIONS, type Tokens } from '@skyrun/contracts';
import { systemClock as clock, createClient, loadConfig, silentLogger } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import {
  problemOf,
  type Served,
  serve,
  startPostgres,
  startRedis,
  type TestPostgres,
  type TestRedis,
  tokensOf,
  until,
} from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
// Only tests may: here the real tokens of the real identity are what is tested.
import { createIdentityService, identityConfig } from '../identity/index.ts';
import { deleted, hear } from './events.fixture.ts';
import { createEventsService, eventsConfig } from './index.ts';

const INTERNAL_TOKEN = 'internal-token-of-this-test-0123456789';

/** Servers of its own, because they are killed. */
describe('identity and events, with real tokens and servers that die', () => {
  let postgres: TestPostgres;
  let redis: TestRedis;
  let bus: EventBus;
  let served: Served;
  let db: Database;
  let admin: Tokens;

  const as = (token: string | null) => createClient({ baseUrl: served.url, token: () => token });
  const signIn = () =>
    as(null).call(OPERATIONS.signIn, { body: { email: 'root@example.com', password: 'first-run-password' } });

  beforeAll(async () => {
    postgres = await startPostgres();
    redis = await startRedis({ aof: true });
    const { url } = await postgres.createDatabase('faults');
    bus = await createBus({ kind: 'redis', url: redis.url, clock, logger: silentLogger });
    db = createDatabase({ url, schema: 'events', applicationName: 'faults-test', logger: silentLogger });
    const shared = { databaseUrl: url, bus, clock, logger: silentLogger };
    served = await serve((address) => {
      const authenticator = tokensOf(address, INTERNAL_TOKEN);
      const identity = loadConfig(identityConfig, {
        SKYRUN_KEY_SECRET: 'k'.repeat(40),
        SKYRUN_ADMIN_EMAIL: 'root@example.com',
        SKYRUN_ADMIN_PASSWORD: 'first-run-password',
        SKYRUN_FIRST_PROJECT: 'demo',
      });
      return {
        authenticator,
        // Events first: its group must exist before identity's first event.
        modules: [
          createEventsService({ ...shared, authenticator, config: loadConfig(eventsConfig, {}) }),
          createIdentityService({ ...shared, config: identity }),
        ],
      };
    });
    admin = await signIn();
  });

  afterAll(async () => {
    await served.stop();
    await bus.close();
    await db.close();
    await redis.stop();
    await postgres.stop();
  });

  const projectEvents = async (project: string) => {
    const params = { project };
    const { items } = await as(admin.accessToken).call(OPERATIONS.listProjectEvents, { params, query: { limit: 500 } });
    return items;
  };

  it('has the whole history from the first run on', async () => {
    const admins = as(admin.accessToken);
    await until(async () => (await admins.call(OPERATIONS.listEvents)).items.length === 3);
    const all = await admins.call(OPERATIONS.listEvents);
    expect(await projectEvents('demo')).toHaveLength(2);
    expect(all.items.map(({ type }) => type)).toEqual([
      'skyrun.member.added.v1',
      'skyrun.project.created.v1',
      'skyrun.user.created.v1',
    ]);
  });

  it('lets a real token follow its own project, one made after it was signed too, and no other', async () => {
    const body = { email: 'ann@example.com', password: 'correct horse battery', name: 'Ann' };
    const ann = await as(null).call(OPERATIONS.signUp, { body });
    const feed = hear(served.url, ann.accessToken);
    expect(await feed.subscribe({ project: 'demo' })).toMatchObject({ ok: false, problem: { code: 'auth.forbidden' } });
    await as(ann.accessToken).call(OPERATIONS.createProject, { body: { name: 'anns' } });
    expect(await feed.subscribe({ project: 'anns' })).toMatchObject({ ok: true });
    const params = { project: 'anns' };
    await as(ann.accessToken).call(OPERATIONS.addMember, {
      params,
      body: { email: 'root@example.com', role: 'viewer' },
    });
    await until(() => feed.events.some((event) => event.type === 'skyrun.member.added.v1'));
    const problem = await problemOf(
      as(ann.accessToken).call(OPERATIONS.listProjectEvents, { params: { project: 'demo' } }),
    );
    expect(problem.code).toBe('auth.forbidden');
    feed.socket.disconnect();
    const forged = hear(served.url, `${ann.accessToken.slice(0, -4)}AAAA`, { reconnection: false });
    const refusal = await new Promise<Error & { data?: { code: string } }>((resolve) => {
      forged.socket.on('connect_error', resolve);
    });
    expect(refusal.data?.code).toBe('auth.invalid_token');
    forged.socket.disconnect();
  });

  it('answers 503 while PostgreSQL is gone, and then has every event once, in the log and in the feed', async () => {
    const feed = hear(served.url, admin.accessToken);
    await feed.subscribe({ all: true });
    const events = Array.from({ length: 300 }, (_, n) => deleted('demo', `pg${n}`));
    await bus.publish(events.slice(0, 100));
    await postgres.kill();
    await bus.publish(events.slice(100, 200));
    expect((await problemOf(signIn())).status).toBe(503);
    expect((await problemOf(projectEvents('demo'))).status).toBe(503);
    await clock.sleep(500);
    await postgres.restart();
    await bus.publish(events.slice(200));
    const marks = (list: readonly { subject: string }[]) =>
      list.map(({ subject }) => subject).filter((subject) => subject.startsWith('images/demo/pg'));
    await until(() => marks(feed.events).length >= 300, 60_000);
    await clock.sleep(500);
    expect(new Set(marks(feed.events)).size).toBe(300);
    expect(marks(feed.events)).toHaveLength(300);
    const { rows } = await db.query<{ id: string }>(
      `select id from log where subject like 'images/demo/pg%' order by position`,
    );
    expect(feed.events.filter(({ subject }) => subject.startsWith('images/demo/pg')).map(({ id }) => id)).toEqual(
      rows.map(({ id }) => id),
    );
    await signIn();
    feed.socket.disconnect();
  });

  it('takes changes while the broker is gone, and tells of them when it is back', async () => {
    await redis.kill();
    const project = await as(admin.accessToken).call(OPERATIONS.createProject, { body: { name: 'offline' } });
    expect(project.name).toBe('offline');
    await redis.restart();
    await until(async () => (await projectEvents('offline')).length === 2, 60_000);
    expect((await projectEvents('offline')).map(({ type, sequence }) => [type, sequence])).toEqual([
      ['skyrun.member.added.v1', 2],
      ['skyrun.project.created.v1', 1],
    ]);
  });

  it('goes on with a subscription after an outage of the feed itself, from the cursor of the answer', async () => {
    const feed = hear(served.url, admin.accessToken);
    const answer = await feed.subscribe({ project: 'demo' });
    feed.socket.disconnect();
    await bus.publish([deleted('demo', 'away1'), deleted('demo', 'away2')]);
    await until(async () => (await projectEvents('demo')).some(({ subject }) => subject.endsWith('away2')));
    feed.socket.connect();
    const after = answer.ok ? answer.cursor : '';
    await feed.socket.timeout(30_000).emitWithAck(LIVE_FEED.subscribe, { project: 'demo', after });
    expect(feed.events.map(({ subject }) => subject)).toEqual(['images/demo/away1', 'images/demo/away2']);
    feed.socket.disconnect();
  });

  it('may be stopped before its start, at any moment of it, and twice', async () => {
    const { url } = await postgres.createDatabase('stops');
    const quiet = { databaseUrl: url, bus, clock, logger: silentLogger };
    const config = loadConfig(identityConfig, { SKYRUN_KEY_SECRET: 'k'.repeat(40) });
    const events = loadConfig(eventsConfig, { SKYRUN_REDIS_URL: redis.url, SKYRUN_WEBHOOK_KEY_SECRET: 'w'.repeat(40) });
    const authenticator = { authenticate: async () => null, can: async () => false };
    for (const afterMs of [-1, 0, 1, 5, 20, 60, 150]) {
      const modules = [
        createIdentityService({ ...quiet, config }),
        createEventsService({ ...quiet, authenticator, config: events }),
      ];
      await Promise.all(
        modules.map(async (module) => {
          if (afterMs < 0) await module.stop();
          const starting = module.start();
          if (afterMs > 0) await clock.sleep(afterMs);
          await Promise.all([module.stop(), module.stop(), starting]);
          await module.stop();
        }),
      );
    }
    // A server process ends a moment after its client has gone.
    await until(async () => {
      const { rows } = await db.query<{ left: string }>(
        `select count(*) as left from pg_stat_activity where datname like 'stops%'`,
      );
      return Number(rows[0]?.left) === 0;
    });
  });
});
