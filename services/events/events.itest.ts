import { randomBytes } from 'node:crypto';
import { createBus, type EventBus } from '@skyrun/bus';
import { type EventEnvelope, LIVE_FEED, OPERATIONS } from '@skyrun/contracts';
import {
  systemClock as clock,
  createClient,
  isoTime,
  loadConfig,
  newId,
  type ServiceModule,
  silentLogger,
} from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { testDatabase, testRedisUrl } from '@skyrun/testing';
import { io, type Socket } from 'socket.io-client';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { cost, deleted, type Heard, hear, makeEvent, problemOf, serve, tokenBook, until } from './events.fixture.ts';
import { createEventsService, eventsConfig } from './index.ts';

interface Replica {
  readonly url: string;
  readonly bus: EventBus;
  stop(): Promise<void>;
}

const authenticator = tokenBook();

describe('events', () => {
  let databaseUrl: string;
  let drop: () => Promise<void>;
  let db: Database;
  let redisUrl: string;
  let namespace: string;
  let replica: Replica;
  let publisher: EventBus;
  const opened: Socket[] = [];

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

  const recorded = async (project: string) =>
    (await db.query('select 1 from log where project = $1', [project])).rows.length;

  const client = (token: string) => createClient({ baseUrl: replica.url, token: () => token });
  const history = (project: string, query: Record<string, unknown> = {}) =>
    client(`reader:${project}`).call(OPERATIONS.listProjectEvents, { params: { project }, query });

  const connect = (token: string, url = replica.url, options: Record<string, unknown> = {}): Heard => {
    const heard = hear(url, token, options);
    opened.push(heard.socket);
    return heard;
  };

  describe('history', () => {
    it('keeps every history event once, however often it is delivered', async () => {
      const events = ['a', 'b', 'c'].map((mark) => deleted('once', mark));
      await publisher.publish(events);
      await publisher.publish(events);
      await publisher.publish([deleted('once', 'last')]);
      await until(async () => (await recorded('once')) === 4);
      await clock.sleep(300);
      const { items } = await history('once');
      expect(items.map(({ subject }) => subject.split('/').at(-1))).toEqual(['last', 'c', 'b', 'a']);
      expect(items.at(-1)).toEqual(events[0]);
    });

    it('does not keep ephemeral events', async () => {
      await publisher.publish([cost('brief'), deleted('brief', 'kept')]);
      await until(async () => (await recorded('brief')) === 1);
      expect((await history('brief')).items.map(({ type }) => type)).toEqual(['skyrun.image.deleted.v1']);
    });

    it('pages newest first without gap or repeat while new events come in', async () => {
      const base = clock.now() - 60_000;
      // Three events share each millisecond, so that the tie must be broken.
      await publisher.publish(
        Array.from({ length: 31 }, (_, n) => deleted('pages', `m${n}`, base + Math.floor(n / 3))),
      );
      await until(async () => (await recorded('pages')) === 31);
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await history('pages', { limit: 7, cursor });
        seen.push(...page.items.map(({ id }) => id));
        cursor = page.nextCursor ?? undefined;
        if (seen.length === 7) {
          await publisher.publish([deleted('pages', 'new')]);
          await until(async () => (await recorded('pages')) === 32);
        }
      } while (cursor);
      expect(seen).toHaveLength(31);
      expect(new Set(seen).size).toBe(31);
    });

    it.each<[string, Record<string, unknown>, string[]]>([
      ['type', { type: 'skyrun.image.deleted.v1' }, ['two', 'one']],
      ['type pattern', { type: 'skyrun.member.*' }, ['joined']],
      ['subject prefix', { subject: 'images/filter/o' }, ['one']],
      ['a subject with a wildcard of SQL is plain text', { subject: 'images/filter/%' }, []],
      ['since', { since: isoTime(1_790_000_002_000) }, ['joined', 'two']],
      ['until, exclusive', { until: isoTime(1_790_000_002_000) }, ['one']],
      ['text', { text: 'ViEwEr' }, ['joined']],
      ['text with a wildcard of SQL is plain text', { text: 'view%' }, []],
    ])('filters by %s', async (_, query, expected) => {
      const at = clock.now() - 3_600_000;
      if ((await recorded('filter')) === 0) {
        const userId = newId('user', clock);
        const data = { project: 'filter', userId, role: 'viewer' as const };
        await publisher.publish([
          deleted('filter', 'one', at + 1_000),
          deleted('filter', 'two', at + 2_000),
          makeEvent(
            { type: 'skyrun.member.added.v1', subject: 'projects/filter', project: 'filter', data },
            at + 3_000,
          ),
        ]);
        await until(async () => (await recorded('filter')) === 3);
      }
      const all = (await history('filter')).items;
      const second = Date.parse(all[1]?.time ?? '');
      const bounds = Object.fromEntries(
        Object.entries(query).map(([name, value]) => [
          name,
          ['since', 'until'].includes(name) ? isoTime(second) : value,
        ]),
      );
      const { items } = await history('filter', bounds);
      const names: Record<string, string> = { 'images/filter/one': 'one', 'images/filter/two': 'two' };
      expect(items.map(({ subject }) => names[subject] ?? 'joined')).toEqual(expected);
    });

    it.each<[string, Record<string, unknown>]>([
      ['type', { type: 'skyrun.nothing.*' }],
      ['cursor', { cursor: 'made-up' }],
      ['until', { since: isoTime(2_000), until: isoTime(1_000) }],
      ['limit', { limit: 501 }],
      ['text', { text: 'a\0b' }],
    ])('names the field %s when it is not valid', async (field, query) => {
      const problem = await problemOf(history('filter', query));
      expect(problem).toMatchObject({ code: 'request.invalid', errors: [{ field: expect.stringContaining(field) }] });
    });

    it('is a project’s own, and the whole one is for administrators', async () => {
      await publisher.publish([deleted('mine', 'x'), deleted('yours', 'y')]);
      await until(async () => (await recorded('mine')) + (await recorded('yours')) === 2);
      const params = { project: 'yours' };
      const foreign = client('reader:mine').call(OPERATIONS.listProjectEvents, { params });
      expect((await problemOf(foreign)).code).toBe('auth.forbidden');
      expect((await problemOf(client('reader:mine').call(OPERATIONS.listEvents))).code).toBe('auth.forbidden');
      const all = await client('root:*').call(OPERATIONS.listEvents, { query: { subject: 'images/' } });
      expect(all.items.map(({ project }) => project)).toEqual(expect.arrayContaining(['mine', 'yours']));
    });

    it('writes many deliveries in few transactions', async () => {
      const before = await db.query<{ n: string }>('select count(distinct xmin::text) as n from log');
      await publisher.publish(Array.from({ length: 1000 }, (_, n) => deleted('bulk', `b${n}`)));
      await until(async () => (await recorded('bulk')) === 1000);
      const after = await db.query<{ n: string }>('select count(distinct xmin::text) as n from log');
      const transactions = Number(after.rows[0]?.n) - Number(before.rows[0]?.n);
      expect(transactions).toBeLessThan(200);
    });

    it('puts late events into the day they belong to, and drops days past retention', async () => {
      const days = (n: number) => clock.now() - n * 86_400_000;
      await publisher.publish([
        deleted('late', 'ten', days(10)),
        deleted('late', 'forty', days(40)),
        deleted('late', 'now'),
      ]);
      await until(async () => (await recorded('late')) === 2);
      const short = await start({ SKYRUN_EVENT_RETENTION_DAYS: '5' });
      expect(await recorded('late')).toBe(1);
      await short.stop();
    });
  });

  describe('live feed', () => {
    it('gives a project’s events to those who may read them, and no others', async () => {
      const reader = connect('ann:live-a');
      expect(await reader.subscribe({ project: 'live-a' })).toMatchObject({ ok: true, complete: true });
      expect(await reader.subscribe({ project: 'live-b' })).toMatchObject({
        ok: false,
        problem: { code: 'auth.forbidden' },
      });
      expect(await reader.subscribe({ all: true })).toMatchObject({ ok: false, problem: { code: 'auth.forbidden' } });
      const admin = connect('root:*');
      await admin.subscribe({ all: true });
      await admin.subscribe({ project: 'live-a' });
      await publisher.publish([deleted('live-b', 'secret'), deleted('live-a', 'open'), cost('live-b'), cost('live-a')]);
      await until(() => reader.events.length === 2 && admin.events.filter(isLive).length === 4);
      await clock.sleep(200);
      expect(reader.events.every(({ project }) => project === 'live-a')).toBe(true);
      expect(admin.events.filter(isLive)).toHaveLength(4);
    });

    it('lets nobody into a room but by a subscription that is allowed', async () => {
      await publisher.publish([deleted('vault', 'before')]);
      await until(async () => (await recorded('vault')) === 1);
      const { rows } = await db.query<{ id: string }>(`select id from log where project = 'vault'`);
      const thief = connect('eve:own');
      await thief.subscribe({ project: 'own' });
      // What other servers of socket.io take for joining.
      for (const room of ['project:vault', 'all']) {
        for (const name of ['join', 'room', 'joinRoom']) thief.socket.emit(name, room);
        thief.socket.emit('event', { rooms: [room] }, { room });
      }
      for (const message of [
        { project: 'vault' },
        { project: 'vault', after: rows[0]?.id },
        { project: ['own', 'vault'] },
        { project: 'own', room: 'project:vault' },
        { project: 'own', projects: ['vault'] },
        { all: true },
      ]) {
        await thief.socket.timeout(10_000).emitWithAck(LIVE_FEED.subscribe, message);
      }
      await publisher.publish([deleted('vault', 'after'), cost('vault'), deleted('own', 'mine')]);
      await until(() => thief.events.some(({ subject }) => subject.endsWith('mine')));
      await clock.sleep(200);
      expect(thief.events.map(({ project }) => project)).toEqual(['own']);
    });

    it('hears nothing more, not even what it missed, when it comes back without the permission', async () => {
      let projects = 'lent,kept';
      const reader = connect('', replica.url, {
        auth: (give: (auth: { token: string }) => void) => give({ token: `ann:${projects}` }),
        reconnectionDelay: 50,
        reconnectionDelayMax: 50,
      });
      const answers: boolean[] = [];
      const cursors = new Map<string, string>();
      reader.socket.on(LIVE_FEED.event, ({ project = '' }: EventEnvelope, { cursor }: { cursor: string }) =>
        cursors.set(project, cursor),
      );
      reader.socket.on('connect', async () => {
        for (const project of ['lent', 'kept']) {
          const after = cursors.get(project);
          answers.push((await reader.subscribe({ project, ...(after ? { after } : {}) })).ok);
        }
      });
      await until(() => answers.length === 2);
      await publisher.publish([deleted('lent', 'a'), deleted('kept', 'a')]);
      await until(() => reader.events.length === 2);
      projects = 'kept';
      reader.socket.io.engine.close();
      await publisher.publish([deleted('lent', 'b'), deleted('kept', 'b')]);
      await until(() => answers.length === 4);
      await publisher.publish([deleted('lent', 'c'), deleted('kept', 'c')]);
      await until(() => reader.events.some(({ subject }) => subject === 'images/kept/c'));
      await clock.sleep(200);
      expect(answers).toEqual([true, true, false, true]);
      expect(reader.events.slice(2).map(({ subject }) => subject)).toEqual(['images/kept/b', 'images/kept/c']);
    });

    it.each([
      ['no token', {}],
      ['a token that does not hold', { token: 'nonsense' }],
      ['an expired token', { token: 'ann:live-a:1000' }],
    ])('refuses a connection with %s', async (_, auth) => {
      const socket = io(replica.url, { path: LIVE_FEED.path, auth, transports: ['websocket'], reconnection: false });
      opened.push(socket);
      const error = await new Promise<Error & { data?: { code: string } }>((resolve) => {
        socket.on('connect_error', resolve);
      });
      expect(error.data?.code).toMatch(/^auth\.(required|invalid_token)$/);
    });

    it.each<[string, unknown]>([
      ['nothing', undefined],
      ['a bad project', { project: '../x' }],
      ['all: false', { all: false }],
      ['both', { all: true, project: 'live-a' }],
    ])('answers %s with request.invalid', async (_, message) => {
      const { socket } = connect('ann:live-a');
      const answer = await socket.timeout(5_000).emitWithAck(LIVE_FEED.subscribe, message);
      expect(answer).toMatchObject({ ok: false, problem: { code: 'request.invalid' } });
    });

    it('sends nothing more after unsubscribe', async () => {
      const reader = connect('ann:leave');
      await reader.subscribe({ project: 'leave' });
      await publisher.publish([deleted('leave', 'first')]);
      await until(() => reader.events.length === 1);
      await reader.socket.emitWithAck(LIVE_FEED.unsubscribe, { project: 'leave' });
      await publisher.publish([deleted('leave', 'second')]);
      await until(async () => (await recorded('leave')) === 2);
      await clock.sleep(300);
      expect(reader.events).toHaveLength(1);
    });

    it('reaches clients of every replica', async () => {
      const other = await start();
      const here = connect('ann:wide');
      const there = connect('ann:wide', other.url);
      await here.subscribe({ project: 'wide' });
      await there.subscribe({ project: 'wide' });
      await publisher.publish([deleted('wide', 'x'), cost('wide')]);
      await until(() => here.events.length === 2 && there.events.length === 2);
      there.socket.disconnect();
      await other.stop();
    });

    it('works over long polling too', async () => {
      const reader = connect('ann:poll', replica.url, { transports: ['polling'] });
      await reader.subscribe({ project: 'poll' });
      await publisher.publish([deleted('poll', 'x')]);
      await until(() => reader.events.length === 1);
    });

    it('gives what was missed first, in order, then what is new; no gap, no repeat', async () => {
      const reader = connect('ann:resume');
      await reader.subscribe({ project: 'resume' });
      await publisher.publish([deleted('resume', 'seen')]);
      await until(() => reader.events.length === 1);
      reader.socket.disconnect();
      const missed = Array.from({ length: 450 }, (_, n) => deleted('resume', `missed${n}`));
      await publisher.publish(missed.slice(0, 300));
      await until(async () => (await recorded('resume')) === 301);
      // Some come while the client catches up.
      const rest = publisher.publish(missed.slice(300));
      for (const after of [reader.cursors[0], reader.events[0]?.id]) {
        const again = connect('ann:resume');
        expect(await again.subscribe({ project: 'resume', after })).toMatchObject({ ok: true, complete: true });
        await rest;
        await until(() => again.events.length >= 450);
        await clock.sleep(200);
        const stored = await db.query<{ id: string }>(
          `select id from log where project = 'resume' order by position offset 1`,
        );
        expect(again.events.map(({ id }) => id)).toEqual(stored.rows.map(({ id }) => id));
      }
    });

    it('recovers by itself from a cut connection, while events go on', async () => {
      const reader = connect('ann:cut', replica.url, { reconnectionDelay: 50, reconnectionDelayMax: 50 });
      let cuts = 0;
      reader.socket.on('connect', () => {
        void reader.subscribe({
          project: 'cut',
          ...(reader.cursors.length > 0 ? { after: reader.cursors.at(-1) } : {}),
        });
      });
      await until(() => reader.socket.connected);
      await publisher.publish([deleted('cut', 'start')]);
      await until(() => reader.events.length === 1);
      for (let n = 0; n < 60; n += 1) {
        await publisher.publish([deleted('cut', `n${n}`)]);
        if (n % 15 === 7) {
          cuts += 1;
          reader.socket.io.engine.close();
        }
        await clock.sleep(10);
      }
      await until(() => reader.events.length >= 61);
      await clock.sleep(200);
      expect(cuts).toBe(4);
      const subjects = reader.events.map(({ subject }) => subject);
      expect(new Set(subjects).size).toBe(61);
      expect(subjects).toHaveLength(61);
    });

    it('does not repeat what another subscription of the connection has sent', async () => {
      const first = connect('root:*');
      await first.subscribe({ all: true });
      await publisher.publish([deleted('both', 'a')]);
      await until(() => first.events.some(({ project }) => project === 'both'));
      const from = first.cursors.at(-1);
      await publisher.publish([deleted('both', 'b')]);
      await until(() => first.events.filter(({ project }) => project === 'both').length === 2);
      await first.subscribe({ project: 'both', after: from });
      await publisher.publish([deleted('both', 'c')]);
      await until(() => first.events.filter(({ project }) => project === 'both').length >= 3);
      await clock.sleep(200);
      expect(first.events.filter(({ project }) => project === 'both')).toHaveLength(3);
    });

    it('tells when it cannot give all that was missed', async () => {
      const limited = await start({ SKYRUN_FEED_REPLAY: '10' });
      await publisher.publish(Array.from({ length: 30 }, (_, n) => deleted('much', `n${n}`)));
      await until(async () => (await recorded('much')) === 30);
      const { items } = await client('r:much').call(OPERATIONS.listProjectEvents, {
        params: { project: 'much' },
        query: { limit: 30 },
      });
      await clock.sleep(1_200);
      const reader = connect('ann:much', limited.url);
      expect(await reader.subscribe({ project: 'much', after: items.at(-1)?.id })).toMatchObject({
        ok: true,
        complete: false,
      });
      expect(reader.events).toHaveLength(10);
      const lostPlace = connect('ann:much', limited.url);
      expect(await lostPlace.subscribe({ project: 'much', after: 'evt_unknown' })).toMatchObject({ complete: false });
      reader.socket.disconnect();
      lostPlace.socket.disconnect();
      await limited.stop();
    });

    it('gives what another replica recorded a moment ago, before this one was told of it', async () => {
      const reader = connect('ann:ahead');
      await reader.subscribe({ project: 'ahead' });
      await publisher.publish([deleted('ahead', 'first')]);
      await until(() => reader.events.length === 1);
      // Without a notification: this replica would find it at its next look, up to a second later.
      await db.query(
        `insert into log (id, source, type, subject, project, time, event)
         select 'evt_elsewhere', source, type, subject, project, time, event || '{"id":"evt_elsewhere"}'
         from log where project = 'ahead'`,
      );
      const behind = connect('ann:ahead');
      expect(await behind.subscribe({ project: 'ahead', after: reader.cursors[0] })).toMatchObject({ complete: true });
      expect(behind.events.map(({ id }) => id)).toEqual(['evt_elsewhere']);
      const level = connect('ann:ahead');
      expect(await level.subscribe({ project: 'ahead', after: 'evt_elsewhere' })).toMatchObject({ complete: true });
      expect(level.events).toEqual([]);
    });

    it('does not tell a place in another project', async () => {
      await publisher.publish([deleted('theirs', 'x')]);
      await until(async () => (await recorded('theirs')) === 1);
      const { rows } = await db.query<{ id: string }>(`select id from log where project = 'theirs'`);
      const reader = connect('ann:ours');
      expect(await reader.subscribe({ project: 'ours', after: rows[0]?.id })).toMatchObject({ complete: false });
    });

    it('closes when the token expires, and not when it was renewed in time', async () => {
      const late = connect(`ann:expiry:${clock.now() + 400}`, replica.url, { reconnection: false });
      const timely = connect(`ben:expiry:${clock.now() + 400}`, replica.url, { reconnection: false });
      await late.subscribe({ project: 'expiry' });
      await timely.subscribe({ project: 'expiry' });
      await timely.subscribe({ project: 'other' });
      const renewed = await timely.socket.emitWithAck(LIVE_FEED.authenticate, { token: 'ben:expiry' });
      expect(renewed).toMatchObject({ ok: true });
      await until(() => !late.socket.connected);
      expect(late.closing).toMatchObject([{ code: 'auth.invalid_token' }]);
      expect(timely.socket.connected).toBe(true);
      await publisher.publish([deleted('expiry', 'x')]);
      await until(() => timely.events.length === 1);
      expect(late.events).toHaveLength(0);
    });

    it('lets a renewed token without the project hear it no more, and refuses another account’s', async () => {
      const reader = connect('ann:gone,stays');
      await reader.subscribe({ project: 'gone' });
      await reader.subscribe({ project: 'stays' });
      const other = await reader.socket.emitWithAck(LIVE_FEED.authenticate, { token: 'eve:gone' });
      expect(other).toMatchObject({ ok: false, problem: { code: 'auth.invalid_token' } });
      await reader.socket.emitWithAck(LIVE_FEED.authenticate, { token: 'ann:stays' });
      await publisher.publish([deleted('gone', 'x'), deleted('stays', 'y')]);
      await until(() => reader.events.length === 1);
      await clock.sleep(200);
      expect(reader.events.map(({ project }) => project)).toEqual(['stays']);
    });

    it('ends a client that reads too slowly with the reason, and it goes on from its cursor without loss', async () => {
      const strict = await start({ SKYRUN_FEED_BACKLOG: '500' });
      const slow = connect('ann:slow', strict.url, { reconnectionDelay: 100, reconnectionDelayMax: 100 });
      await slow.subscribe({ project: 'slow' });
      await publisher.publish([deleted('slow', 'first')]);
      await until(() => slow.events.length === 1);
      const stream = rawStream(slow.socket);
      let resumed = false;
      slow.socket.io.on('reconnect', () => {
        resumed = true;
        void slow.subscribe({ project: 'slow', after: slow.cursors.at(-1) });
      });
      // The client takes no more bytes; more is sent than both kernels hold.
      stream.pause();
      const total = 4_000;
      for (let sent = 0; sent < total; sent += 250) {
        await publisher.publish(
          Array.from({ length: 250 }, (_, n) => deleted('slow', `s${sent + n}`, clock.now(), 6_000)),
        );
      }
      await until(async () => (await recorded('slow')) === total + 1, 60_000);
      await clock.sleep(500);
      stream.resume();
      await until(() => resumed, 30_000);
      await until(() => slow.events.length >= total + 1, 60_000);
      expect(slow.closing).toMatchObject([{ code: 'feed.too_slow' }]);
      expect(new Set(slow.events.map(({ id }) => id)).size).toBe(total + 1);
      expect(slow.events).toHaveLength(total + 1);
      slow.socket.disconnect();
      await strict.stop();
    }, 150_000);
  });
});

function isLive({ project }: EventEnvelope): boolean {
  return project === 'live-a' || project === 'live-b';
}

/** The TCP stream below a client's connection. */
function rawStream(socket: Socket): { pause(): void; resume(): void } {
  const { transport } = socket.io.engine;
  if ('ws' in transport && typeof transport.ws === 'object' && transport.ws !== null && '_socket' in transport.ws) {
    return transport.ws._socket as { pause(): void; resume(): void };
  }
  throw new Error('the connection is no WebSocket of the ws package');
}
