import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import { startRedis, type TestRedis } from '@skyrun/testing';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { GroupReader } from './group-reader.ts';

const STREAM = 'events';
const GROUP = 'g';
const LEASE = 'lease';

/** A way to Redis that keeps what clients send for as long as it is told to. */
interface Link {
  readonly port: number;
  hold(): void;
  /** Resolves when something is kept. */
  holding(): Promise<void>;
  release(): void;
  close(): Promise<void>;
}

async function openLink(target: { readonly host: string; readonly port: number }): Promise<Link> {
  const sockets = new Set<Socket>();
  let kept: (() => void)[] | null = null;
  let onKept = Promise.withResolvers<void>();
  const server: Server = createServer((client) => {
    const upstream = connect(target);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      // The test ends connections from either side.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        client.destroy();
        upstream.destroy();
      });
    }
    upstream.pipe(client);
    client.on('data', (bytes: Buffer) => {
      if (kept === null) {
        upstream.write(bytes);
        return;
      }
      kept.push(() => upstream.write(bytes));
      onKept.resolve();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    hold() {
      kept = [];
      onKept = Promise.withResolvers<void>();
    },
    holding: () => onKept.promise,
    release() {
      const late = kept ?? [];
      kept = null;
      for (const send of late) send();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

let server: TestRedis;
let raw: Redis;
let link: Link;
let slow: Redis;
let direct: Redis;

beforeAll(async () => {
  server = await startRedis();
  raw = new Redis(server.url, { protocol: 2 });
  direct = new Redis(server.url, { protocol: 2 });
});
afterAll(async () => {
  raw.disconnect();
  direct.disconnect();
  await server.stop();
});
beforeEach(async () => {
  await raw.flushall();
  await raw.xgroup('CREATE', STREAM, GROUP, '0', 'MKSTREAM');
  const url = new URL(server.url);
  link = await openLink({ host: url.hostname, port: Number(url.port) });
  url.port = String(link.port);
  slow = new Redis(url.href, { protocol: 2, retryStrategy: null });
});
afterEach(async () => {
  slow.disconnect();
  await link.close();
});

const readerOf = (connection: Redis, holder: string) =>
  new GroupReader({ connection, group: GROUP, consumer: 'active', fence: { key: LEASE, holder } });
const add = async (count: number) => {
  for (let n = 0; n < count; n += 1) await raw.xadd(STREAM, '*', 'e', String(n));
};
/** How many entries were given to somebody and not settled. */
const given = async () => Number((await raw.xpending(STREAM, GROUP))[0]);

/** `lose` is what becomes of the lease while the read of its holder `a` is held up. */
async function holdUp(lose: () => Promise<unknown>) {
  await raw.set(LEASE, 'a');
  const reader = readerOf(slow, 'a');
  // The lease is watched from here on.
  expect(await reader.fresh(STREAM, 10)).toEqual([]);
  link.hold();
  const late = reader.fresh(STREAM, 10).then(
    (entries) => entries.length,
    (error: unknown) => String(error),
  );
  await link.holding();
  await lose();
  await add(3);
  link.release();
  return late;
}

it.each<[string, () => Promise<unknown>]>([
  ['somebody else holds it', () => raw.set(LEASE, 'b')],
  ['it was given back', () => raw.del(LEASE)],
  [
    'it ran out',
    async () => {
      await raw.pexpire(LEASE, 20);
      await expect.poll(() => raw.exists(LEASE)).toBe(0);
    },
  ],
])('a read that was held up past its lease takes nothing: %s', async (_, lose) => {
  expect(await holdUp(lose)).toContain('the lease of the group is not ours');
  expect(await given()).toBe(0);
  await raw.set(LEASE, 'b');
  expect(await readerOf(direct, 'b').fresh(STREAM, 10)).toHaveLength(3);
});

it('a first read that was held up past its lease takes nothing', async () => {
  await raw.set(LEASE, 'a');
  await slow.ping();
  link.hold();
  const late = readerOf(slow, 'a').fresh(STREAM, 10);
  const refused = expect(late).rejects.toThrow('the lease of the group is not ours');
  await link.holding();
  await raw.set(LEASE, 'b');
  await add(3);
  link.release();
  await refused;
  expect(await given()).toBe(0);
});

it('a read that was held up over a renewal of its own lease is made again, and gets all of it', async () => {
  expect(await holdUp(() => raw.set(LEASE, 'a', 'PX', 60_000))).toBe(3);
  expect(await given()).toBe(3);
});

it('nothing is given to the one before once another holds the lease, whichever of them is first', async () => {
  const takenBefore = new Set<number>();
  for (let round = 0; round < 40; round += 1) {
    await raw.set(LEASE, 'a');
    const reader = readerOf(slow, 'a');
    expect(await reader.fresh(STREAM, 200)).toEqual([]);
    await add(3);
    link.hold();
    const late = reader.fresh(STREAM, 200).catch(() => null);
    await link.holding();
    // Round 0: the lease goes first, round 1: the read does; the rest is a race that either may win.
    const taking = round % 2 === 0 ? raw.set(LEASE, 'b') : null;
    if (round === 0) await taking;
    for (let turn = 0; turn < round % 5; turn += 1) await setImmediate();
    link.release();
    if (round === 1) await late;
    for (let turn = 0; turn < round % 3; turn += 1) await setImmediate();
    await (taking ?? raw.set(LEASE, 'b'));
    const before = await given();
    const entries = await late;
    expect(await given()).toBe(before);
    if (entries !== null) expect(entries).toHaveLength(before);
    const rest = await readerOf(direct, 'b').fresh(STREAM, 200);
    // What the one before took in time, told of it or not, the next one finds as the group's own.
    const unsettled = await readerOf(direct, 'b').unsettled(STREAM, 200, '0-0');
    expect({ rest: rest.length, all: unsettled.length }).toEqual({ rest: 3 - before, all: 3 });
    takenBefore.add(before);
    await raw.xack(STREAM, GROUP, ...unsettled.map(({ id }) => id));
  }
  expect([...takenBefore].sort()).toEqual([0, 3]);
});
