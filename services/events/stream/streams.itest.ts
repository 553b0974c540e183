import { randomBytes } from 'node:crypto';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { createBus, type EventBus } from '@skyrun/bus';
import { systemClock as clock, loadConfig, silentLogger } from '@skyrun/kit';
import { type Served, serve, testDatabase, testRedisUrl, until } from '@skyrun/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { deleted, tokenBook } from '../events.fixture.ts';
import { createEventsService, eventsConfig } from '../index.ts';

interface Frame {
  readonly id: string | undefined;
  readonly name: string;
  readonly data: string | undefined;
}

/** One connection, read as the specification of server-sent events says. */
interface Reader {
  readonly frames: Frame[];
  readonly message: IncomingMessage;
  subjects(): string[];
  lastId(): string | undefined;
  ended(): boolean;
}

describe('event stream', () => {
  let served: Served;
  let bus: EventBus;
  let drop: () => Promise<void>;
  const opened: IncomingMessage[] = [];

  beforeAll(async () => {
    const database = await testDatabase('event_stream');
    drop = database.drop;
    const redis = await testRedisUrl();
    const namespace = `stream-${randomBytes(4).toString('hex')}`;
    bus = await createBus({ kind: 'redis', url: redis, namespace, clock, logger: silentLogger });
    const authenticator = tokenBook();
    const module = createEventsService({
      config: loadConfig(eventsConfig, { SKYRUN_FEED_BACKLOG: '500', SKYRUN_REDIS_URL: redis }),
      databaseUrl: database.url,
      bus,
      authenticator,
      clock,
      logger: silentLogger,
    });
    served = await serve(() => ({ modules: [module], authenticator }));
  });
  afterEach(() => {
    for (const message of opened.splice(0)) message.destroy();
  });
  afterAll(async () => {
    await served.stop();
    await bus.close();
    await drop();
  });

  const get = (path: string, token: string, lastEventId?: string) =>
    new Promise<IncomingMessage>((resolve, reject) => {
      const headers = {
        authorization: `Bearer ${token}`,
        ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
      };
      httpRequest(`${served.url}${path}`, { headers, agent: false }, resolve).on('error', reject).end();
    });

  const read = async (path: string, token: string, lastEventId?: string): Promise<Reader> => {
    const message = await get(path, token, lastEventId);
    expect(message.headers['content-type']).toBe('text/event-stream');
    opened.push(message);
    const frames: Frame[] = [];
    let text = '';
    let ended = false;
    message.setEncoding('utf8');
    message.on('data', (chunk: string) => {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) frames.push(toFrame(block));
    });
    message.on('error', () => undefined);
    message.on('close', () => {
      ended = true;
    });
    const reader: Reader = {
      frames,
      message,
      subjects: () =>
        frames
          .filter(({ name, data }) => name === 'message' && data !== undefined)
          .map(({ data = '' }) => String(JSON.parse(data).subject).split('/').at(-1) ?? ''),
      lastId: () => frames.findLast(({ id }) => id !== undefined)?.id,
      ended: () => ended,
    };
    await until(() => frames.length > 0);
    return reader;
  };

  const stream = (project: string) => `/api/v1/projects/${project}/events/stream`;

  it('gives a project’s events as they come, filtered, to those who may read them', async () => {
    const all = await read(stream('mine'), 'ann:mine');
    const some = await read(`${stream('mine')}?subject=images/mine/b&type=skyrun.image.*`, 'ann:mine');
    const whole = await read('/api/v1/events/stream', 'root:*');
    await bus.publish([deleted('mine', 'a'), deleted('yours', 'x'), deleted('mine', 'b')]);
    await until(() => all.subjects().length === 2 && some.subjects().length === 1 && whole.subjects().length === 3);
    expect(all.subjects()).toEqual(['a', 'b']);
    expect(some.subjects()).toEqual(['b']);
  });

  it.each([
    ['another project', '/api/v1/projects/yours/events/stream', 'ann:mine', 403],
    ['the whole installation', '/api/v1/events/stream', 'ann:mine', 403],
    ['an unknown type', '/api/v1/projects/mine/events/stream?type=skyrun.nothing.*', 'ann:mine', 400],
    ['an expired token', '/api/v1/projects/mine/events/stream', 'ann:mine:1000', 401],
  ])('refuses %s with a problem', async (_, path, token, status) => {
    const message = await get(path, token);
    opened.push(message);
    expect(message.statusCode).toBe(status);
    expect(message.headers['content-type']).toContain('application/problem+json');
  });

  it('goes on after Last-Event-ID without gap or repeat, while events come', async () => {
    const first = await read(stream('resume'), 'ann:resume');
    const before = first.lastId();
    first.message.destroy();
    await bus.publish(Array.from({ length: 450 }, (_, n) => deleted('resume', `n${n}`)));
    const rest = bus.publish(Array.from({ length: 300 }, (_, n) => deleted('resume', `n${450 + n}`)));
    const again = await read(stream('resume'), 'ann:resume', before);
    await rest;
    await until(() => again.subjects().length >= 750, 30_000);
    await clock.sleep(200);
    expect(new Set(again.subjects()).size).toBe(750);
    expect(again.subjects()).toHaveLength(750);
    const middle = again.frames.filter(({ data }) => data !== undefined)[499]?.id;
    const tail = await read(stream('resume'), 'ann:resume', middle);
    await until(() => tail.subjects().length === 250);
    expect(tail.subjects()).toEqual(again.subjects().slice(500));
  });

  it('says that there is a gap when the place is not known', async () => {
    const reader = await read(stream('gap'), 'ann:gap', 'evt_unknown');
    await until(() => reader.frames.some(({ name }) => name === 'gap'));
    await bus.publish([deleted('gap', 'after')]);
    await until(() => reader.subjects().length === 1);
  });

  it('ends when the token expires, with the reason', async () => {
    const reader = await read(stream('expiry'), `ann:expiry:${clock.now() + 4_000}`);
    await until(() => reader.ended());
    expect(reader.frames.at(-1)).toMatchObject({
      name: 'closing',
      data: expect.stringContaining('auth.invalid_token'),
    });
  });

  it('tells a slow reader so and ends; it goes on from its place without loss', async () => {
    const slow = await read(stream('slow'), 'ann:slow');
    slow.message.pause();
    const total = 4_000;
    for (let sent = 0; sent < total; sent += 250) {
      await bus.publish(Array.from({ length: 250 }, (_, n) => deleted('slow', `s${sent + n}`, clock.now(), 6_000)));
    }
    const witness = await read(stream('slow'), 'ann:slow');
    await bus.publish([deleted('slow', 'last')]);
    await until(() => witness.subjects().includes('last'), 60_000);
    slow.message.resume();
    await until(() => slow.ended(), 60_000);
    expect(slow.frames.at(-1)).toMatchObject({ name: 'too-slow', data: expect.stringContaining('feed.too_slow') });
    expect(slow.subjects().length).toBeLessThan(total);
    const again = await read(stream('slow'), 'ann:slow', slow.lastId());
    await until(() => again.subjects().includes('last'), 60_000);
    const seen = [...slow.subjects(), ...again.subjects()];
    expect(seen).toHaveLength(total + 1);
    expect(new Set(seen).size).toBe(total + 1);
  }, 180_000);
});

function toFrame(block: string): Frame {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const at = line.indexOf(':');
    if (at > 0) fields.set(line.slice(0, at), line.slice(at + 1).trimStart());
  }
  return { id: fields.get('id'), name: fields.get('event') ?? 'message', data: fields.get('data') };
}
