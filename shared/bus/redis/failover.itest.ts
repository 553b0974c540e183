import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { AnyEvent } from '@skyrun/contracts';
import { silentLogger, systemClock } from '@skyrun/kit';
import { startRedis, type TestRedis } from '@skyrun/testing';
import { Redis } from 'ioredis';
import { afterEach, expect, it } from 'vitest';
import { firstSeen, interleaved } from '../conformance/workbench.ts';
import { createBus } from '../create-bus.ts';
import type { EventBus } from '../event-bus.ts';

const PATIENCE = { timeout: 60_000 };
const GROUP = { group: 'g', types: ['skyrun.usage.*'] };
const undo: (() => Promise<unknown> | unknown)[] = [];
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step();
});

/** The one address of Redis, as an operator's proxy or virtual address is: it leads to whoever is the primary now. */
async function openAddress(first: string) {
  let target = new URL(first);
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect({ host: target.hostname, port: Number(target.port) });
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      // Servers are killed here; the other side learns it by the close.
      socket.on('error', () => socket.destroy());
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
      socket.pipe(other);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const url = new URL(first);
  url.port = String((server.address() as AddressInfo).port);
  return {
    url: url.href,
    /** Connections that are open stay where they are. */
    leadTo(next: string) {
      target = new URL(next);
    },
  };
}

async function startPair() {
  const start = async (): Promise<{ server: TestRedis; raw: Redis }> => {
    const server = await startRedis({ aof: true });
    undo.push(() => server.stop());
    const raw = new Redis(server.url, { protocol: 2 });
    raw.on('error', () => undefined);
    undo.push(() => raw.disconnect());
    return { server, raw };
  };
  const [primary, replica] = [await start(), await start()];
  const { hostname, port, password } = new URL(primary.server.url);
  // One password for both, as clients find either behind one address.
  await replica.raw.config('SET', 'requirepass', password);
  await replica.raw.config('SET', 'masterauth', password);
  await replica.raw.call('REPLICAOF', hostname, port);
  await expect.poll(() => primary.raw.info('replication'), PATIENCE).toMatch(/state=online/);
  return { primary, replica };
}

async function open(url: string): Promise<EventBus> {
  const bus = await createBus({ kind: 'redis', url, replicas: 1, clock: systemClock, logger: silentLogger });
  undo.push(() => bus.close());
  return bus;
}

it('what was confirmed survives the loss of the primary: nothing is lost, and the order holds', async () => {
  const { primary, replica } = await startPair();
  const address = await openAddress(primary.server.url);
  const [sender, receiver] = [await open(address.url), await open(address.url)];
  const handled: AnyEvent[] = [];
  await receiver.subscribe({ ...GROUP, prefetch: 16, handler: async (event) => void handled.push(event) });

  const events = interleaved(['a', 'b', 'c'], 400);
  const killed = Promise.withResolvers<void>();
  const sendAll = async () => {
    for (let from = 0; from < events.length; from += 20) {
      const batch = events.slice(from, from + 20);
      // As the outbox does: again, until it is confirmed, and nothing behind it before.
      while (
        !(await sender.publish(batch).then(
          () => true,
          () => false,
        ))
      )
        await systemClock.sleep(50);
      // While the next ones are on their way.
      if (from === 600) killed.resolve(primary.server.kill());
    }
  };
  const sending = sendAll();
  await killed.promise;
  await replica.raw.call('REPLICAOF', 'NO', 'ONE');
  // The new primary has no replica yet; another one takes the place of the lost.
  const third = await startRedis({ aof: true });
  undo.push(() => third.stop());
  const raw = new Redis(third.url, { protocol: 2 });
  undo.push(() => raw.disconnect());
  const { hostname, port } = new URL(replica.server.url);
  await raw.config('SET', 'masterauth', new URL(primary.server.url).password);
  await raw.call('REPLICAOF', hostname, port);
  address.leadTo(replica.server.url);
  await sending;

  const seen = () => new Set(handled.map(({ id }) => id)).size;
  await expect.poll(seen, PATIENCE).toBe(events.length);
  for (const sequences of Object.values(firstSeen(handled)))
    expect(sequences).toEqual(sequences.toSorted((one, other) => one - other));
}, 120_000);

it('confirms nothing that no replica has, and confirms again when one has it', async () => {
  const { primary, replica } = await startPair();
  const bus = await open(primary.server.url);
  await bus.declareGroup(GROUP);
  replica.server.pause();
  undo.push(() => replica.server.resume());
  await expect(bus.publish(interleaved(['a'], 1))).rejects.toMatchObject({ code: 'bus.unavailable' });
  replica.server.resume();
  await bus.publish(interleaved(['a'], 1));
}, 60_000);

it('leaves a server that was demoted: the address leads to the one that takes writes', async () => {
  const { primary, replica } = await startPair();
  const address = await openAddress(primary.server.url);
  const bus = await createBus({ kind: 'redis', url: address.url, clock: systemClock, logger: silentLogger });
  undo.push(() => bus.close());
  await bus.declareGroup(GROUP);
  await replica.raw.call('REPLICAOF', 'NO', 'ONE');
  address.leadTo(replica.server.url);
  const { hostname, port } = new URL(replica.server.url);
  await primary.raw.config('SET', 'masterauth', new URL(primary.server.url).password);
  await primary.raw.call('REPLICAOF', hostname, port);
  // Its connections lead to the old one still, which refuses the first.
  await expect
    .poll(
      () =>
        bus.publish(interleaved(['a'], 1)).then(
          () => 'taken',
          () => 'refused',
        ),
      PATIENCE,
    )
    .toBe('taken');
  expect(await replica.raw.xlen('skyrun:events')).toBeGreaterThan(0);
}, 60_000);
