import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBus, type EventBus } from '@skyrun/bus';
import { OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, createClient, isoTime, loadConfig, silentLogger } from '@skyrun/kit';
import { problemOf, type Served, serve, testDatabase, testRedisUrl, until } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { deleted, tokenBook } from '../events.fixture.ts';
import { createEventsService, eventsConfig } from '../index.ts';

interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Unix milliseconds. */
  readonly at: number;
}

interface Reaction {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly hangMs?: number;
}

const PATIENCE_MS = 40_000;

describe('push subscriptions', () => {
  let databaseUrl: string;
  let drop: () => Promise<void>;
  let redisUrl: string;
  let bus: EventBus;
  let served: Served;
  let receiver: Server;
  let receiverUrl: string;
  const received: Received[] = [];
  /** By path: what the next requests get; then 204. */
  const reactions = new Map<string, Reaction[]>();
  const queuePrefix = `push-${randomBytes(4).toString('hex')}`;

  const start = (environment: Record<string, string> = {}): Promise<Served> => {
    const authenticator = tokenBook();
    const module = createEventsService({
      config: loadConfig(eventsConfig, {
        SKYRUN_REDIS_URL: redisUrl,
        SKYRUN_WEBHOOK_KEY_SECRET: 'w'.repeat(40),
        SKYRUN_WEBHOOK_ALLOW_PRIVATE: 'true',
        SKYRUN_WEBHOOK_RETRY_MS: '20',
        SKYRUN_WEBHOOK_TIMEOUT_MS: '1500',
        ...environment,
      }),
      databaseUrl,
      bus,
      authenticator,
      clock,
      logger: silentLogger,
      queuePrefix,
    });
    return serve(() => ({ modules: [module], authenticator }));
  };

  beforeAll(async () => {
    const database = await testDatabase('push');
    ({ url: databaseUrl, drop } = database);
    redisUrl = await testRedisUrl();
    bus = await createBus({ kind: 'redis', url: redisUrl, namespace: queuePrefix, clock, logger: silentLogger });
    receiver = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request.setEncoding('utf8')) body += chunk;
      const path = request.url ?? '';
      received.push({ path, headers: request.headers, body, at: clock.now() });
      const { status, headers = {}, hangMs = 0 } = reactions.get(path)?.shift() ?? { status: 204 };
      if (hangMs > 0) await clock.sleep(hangMs);
      response.writeHead(status, headers).end();
    });
    receiver.listen(0, '127.0.0.1');
    await once(receiver, 'listening');
    receiverUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`;
    served = await start();
  });
  afterAll(async () => {
    await served.stop();
    await bus.close();
    receiver.closeAllConnections();
    receiver.close();
    await drop();
  });

  const api = (project: string) => createClient({ baseUrl: served.url, token: () => `ann:${project}` });
  const at = (path: string) => received.filter((request) => request.path === path);
  const create = (project: string, path: string, body: Record<string, unknown> = {}) =>
    api(project).call(OPERATIONS.createSubscription, {
      params: { project },
      body: { name: 'hook', destination: `${receiverUrl}${path}`, ...body },
    });
  const log = async (project: string, subscription: string, query: Record<string, unknown> = {}) =>
    (await api(project).call(OPERATIONS.listDeliveries, { params: { project, subscription }, query })).items;
  const verify = (secret: string, { headers, body }: Received) => {
    const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
    const expected = `v1,${createHmac('sha256', key).update(signed).digest('base64')}`;
    return String(headers['webhook-signature']).split(' ').includes(expected);
  };

  it('sends what the filter takes, in binary mode, signed', async () => {
    const { id, secret } = await create('binary', '/binary', { filter: { subject: 'images/binary/yes' } });
    const [yes, no] = [deleted('binary', 'yes'), deleted('binary', 'no')];
    await bus.publish([no, deleted('elsewhere', 'yes'), yes]);
    await until(() => at('/binary').length === 1, PATIENCE_MS);
    const [request] = at('/binary');
    if (!request) throw new Error('unreachable');
    expect(request.headers).toMatchObject({
      'content-type': 'application/json',
      'ce-specversion': '1.0',
      'ce-id': yes.id,
      'ce-type': yes.type,
      'ce-source': yes.source,
      'ce-subject': yes.subject,
      'ce-time': yes.time,
      'ce-project': 'binary',
      'ce-sequence': String(yes.sequence),
    });
    expect(JSON.parse(request.body)).toEqual(yes.data);
    expect(verify(secret, request)).toBe(true);
    await until(async () => (await log('binary', id, { state: 'delivered' })).length === 1, PATIENCE_MS);
    const [delivery] = await log('binary', id);
    expect(delivery).toMatchObject({
      kind: 'event',
      attempts: 1,
      dueAt: null,
      history: [{ status: 204, error: null }],
    });
    expect(JSON.stringify(await log('binary', id))).not.toContain(secret);
  });

  it('sends structured mode, and signs with two secrets while they are exchanged', async () => {
    const first = await create('structured', '/structured', { mode: 'structured' });
    const params = { project: 'structured', subscription: first.id };
    const second = await api('structured').call(OPERATIONS.rotateSubscriptionSecret, { params });
    expect(second.secrets).toHaveLength(2);
    const event = deleted('structured', 'x');
    await bus.publish([event]);
    await until(() => at('/structured').length === 1, PATIENCE_MS);
    const third = await api('structured').call(OPERATIONS.rotateSubscriptionSecret, { params });
    const tested = await api('structured').call(OPERATIONS.testSubscription, { params });
    expect(tested).toMatchObject({ kind: 'test', state: 'delivered', history: [{ status: 204 }] });
    const [before, after] = at('/structured');
    if (!before || !after) throw new Error('unreachable');
    expect(before.headers['content-type']).toContain('application/cloudevents+json');
    expect(JSON.parse(before.body)).toEqual(event);
    const keys = [first.secret, second.secret, third.secret];
    expect(keys.map((secret) => verify(secret, before))).toEqual([true, true, false]);
    expect(keys.map((secret) => verify(secret, after))).toEqual([false, true, true]);
  });

  it.each<[string, Reaction[], string, number]>([
    ['200', [{ status: 200 }], 'delivered', 1],
    ['202', [{ status: 202 }], 'delivered', 1],
    ['301', [{ status: 301, headers: { location: 'http://127.0.0.1:1/' } }], 'refused', 1],
    ['307', [{ status: 307, headers: { location: '/moved' } }], 'refused', 1],
    ['400', [{ status: 400 }], 'refused', 1],
    ['401', [{ status: 401 }], 'refused', 1],
    ['410', [{ status: 410 }], 'refused', 1],
    ['404', [{ status: 404 }, { status: 404 }], 'delivered', 3],
    ['409', [{ status: 409 }], 'delivered', 2],
    ['429', [{ status: 429 }], 'delivered', 2],
    ['500', [{ status: 500 }, { status: 503 }], 'delivered', 3],
    ['hang', [{ status: 200, hangMs: 4_000 }], 'delivered', 2],
    ['dead', Array.from({ length: 3 }, () => ({ status: 502 })), 'dead', 3],
  ])('a destination that answers %s', async (name, answers, state, attempts) => {
    const project = `status-${name}`;
    reactions.set(`/${name}`, [...answers]);
    const { id } = await create(project, `/${name}`, { maxAttempts: 3 });
    await bus.publish([deleted(project, 'x')]);
    await until(async () => (await log(project, id, { state })).length === 1, PATIENCE_MS);
    expect(await log(project, id)).toMatchObject([{ state, attempts }]);
    expect(at(`/${name}`)).toHaveLength(attempts);
    expect(at('/moved')).toHaveLength(0);
    if (state !== 'dead') return;
    const [dead] = await log(project, id);
    const params = { project, subscription: id, delivery: dead?.id ?? '' };
    await api(project).call(OPERATIONS.retryDelivery, { params });
    await until(async () => (await log(project, id, { state: 'delivered' })).length === 1, PATIENCE_MS);
    const again = await problemOf(api(project).call(OPERATIONS.retryDelivery, { params }));
    expect(again.code).toBe('resource.conflict');
  });

  it('tries again when nobody listens', async () => {
    const { id } = await create('nobody', '/', { destination: 'http://127.0.0.1:1/', maxAttempts: 2 });
    await bus.publish([deleted('nobody', 'x')]);
    await until(async () => (await log('nobody', id, { state: 'dead' })).length === 1, PATIENCE_MS);
    expect((await log('nobody', id))[0]?.history).toMatchObject([{ error: 'ECONNREFUSED' }, { error: 'ECONNREFUSED' }]);
  });

  it('honours Retry-After', async () => {
    reactions.set('/later', [{ status: 503, headers: { 'retry-after': '2' } }]);
    await create('later', '/later');
    await bus.publish([deleted('later', 'x')]);
    await until(() => at('/later').length === 2, PATIENCE_MS);
    const [first, second] = at('/later');
    expect((second?.at ?? 0) - (first?.at ?? 0)).toBeGreaterThanOrEqual(1_990);
  });

  it('replays from an event and from a time', async () => {
    const start = isoTime(clock.now() - 1_000);
    const events = ['a', 'b', 'c'].map((mark) => deleted('replay', mark));
    await bus.publish(events);
    const history = () =>
      api('replay').call(OPERATIONS.listProjectEvents, { params: { project: 'replay' }, query: {} });
    await until(async () => (await history()).items.length === 3, PATIENCE_MS);
    const second = (await history()).items[1];
    const { id } = await create('replay', '/replay');
    const params = { project: 'replay', subscription: id };
    const replay = (body: { since: string } | { eventId: string }) =>
      api('replay').call(OPERATIONS.replaySubscription, { params, body });
    expect(await replay({ eventId: second?.id ?? '' })).toEqual({ queued: 2, next: null });
    await until(() => at('/replay').length === 2, PATIENCE_MS);
    expect(await replay({ since: start })).toEqual({ queued: 3, next: null });
    await until(() => at('/replay').length === 5, PATIENCE_MS);
    expect((await problemOf(replay({ eventId: 'evt_unknown' }))).code).toBe('resource.not_found');
  });

  it('waits while paused, loses nothing over a restart, and sends each once', async () => {
    const { id } = await create('pause', '/pause');
    const params = { project: 'pause', subscription: id };
    const pause = (paused: boolean) => api('pause').call(OPERATIONS.updateSubscription, { params, body: { paused } });
    await pause(true);
    await bus.publish(Array.from({ length: 60 }, (_, n) => deleted('pause', `n${n}`)));
    await until(async () => (await log('pause', id, { limit: 100 })).length === 60, PATIENCE_MS);
    await served.stop();
    served = await start();
    expect(at('/pause')).toHaveLength(0);
    await pause(false);
    await until(async () => (await log('pause', id, { state: 'delivered', limit: 100 })).length === 60, PATIENCE_MS);
    expect(new Set(at('/pause').map(({ headers }) => headers['ce-id'])).size).toBe(60);
    expect(at('/pause')).toHaveLength(60);
  });

  it('is found, changed and removed by its own project only', async () => {
    const { id, secret } = await create('own', '/own');
    const params = { project: 'own', subscription: id };
    const shown = await api('own').call(OPERATIONS.getSubscription, { params });
    expect(JSON.stringify(shown)).not.toContain(secret);
    expect((await problemOf(create('own', '/own'))).code).toBe('resource.already_exists');
    const foreign = api('other').call(OPERATIONS.getSubscription, { params: { project: 'other', subscription: id } });
    expect((await problemOf(foreign)).code).toBe('resource.not_found');
    expect((await problemOf(api('other').call(OPERATIONS.getSubscription, { params }))).code).toBe('auth.forbidden');
    await api('own').call(OPERATIONS.deleteSubscription, { params });
    const { items } = await api('own').call(OPERATIONS.listSubscriptions, { params: { project: 'own' } });
    expect(items).toEqual([]);
  });

  it('refuses private destinations at save, types that do not exist, and credentials in the URL', async () => {
    const strict = await start({ SKYRUN_WEBHOOK_ALLOW_PRIVATE: 'false' });
    const save = (body: Record<string, unknown>) =>
      createClient({ baseUrl: strict.url, token: () => 'ann:strict' }).call(OPERATIONS.createSubscription, {
        params: { project: 'strict' },
        body: { name: 'hook', destination: 'http://8.8.8.8/', ...body },
      });
    for (const body of [
      { destination: receiverUrl },
      { destination: 'http://localhost:9/' },
      { destination: 'http://[::1]/' },
      { destination: 'http://169.254.169.254/latest/meta-data/' },
      { destination: 'ftp://8.8.8.8/' },
      { destination: 'http://user:secret@8.8.8.8/' },
      { filter: { types: ['skyrun.nothing.*'] } },
    ]) {
      expect(await problemOf(save(body)), JSON.stringify(body)).toMatchObject({ code: 'request.invalid' });
    }
    await strict.stop();
  });
});
