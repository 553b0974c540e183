/**
 * From the commit of a state change to the event in the browser's client: outbox → relay → Redis → event log → socket.io, beside
 * the shortest way there is on the same servers, in the same run: NOTIFY → LISTEN → socket.io, which keeps nothing and numbers
 * nothing.
 *
 *   ./skyrun bench live-feed [events, 500] [per second, 50] [clients, 5]
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBus } from '@skyrun/bus';
import { eventEnvelope, LIVE_FEED } from '@skyrun/contracts';
import {
  type Authenticator,
  systemClock as clock,
  createHttpServer,
  createMetrics,
  loadConfig,
  silentLogger as logger,
  newId,
} from '@skyrun/kit';
import { appendEvents, createDatabase, createOutboxRelay } from '@skyrun/postgres';
import { startPostgres, startRedis } from '@skyrun/testing';
import { Server } from 'socket.io';
import { io, type Socket } from 'socket.io-client';
import { createEventsService, eventsConfig } from '../index.ts';

const COUNT = Number(process.argv[2] ?? 500);
const PER_SECOND = Number(process.argv[3] ?? 50);
const CLIENTS = Number(process.argv[4] ?? 5);
const LIMIT_MS = 100;
const PATIENCE_MS = 60_000;

const authenticator: Authenticator = {
  authenticate: async () => ({
    kind: 'user',
    userId: 'bench',
    email: '',
    admin: true,
    expiresAt: Number.MAX_SAFE_INTEGER,
  }),
  can: async () => true,
};

/** Milliseconds from commit to each client, for events one after the other at the given rate. */
async function measure(
  clients: readonly Socket[],
  event: string,
  commit: (mark: string) => Promise<void>,
  markOf: (value: unknown) => string,
): Promise<number[]> {
  const committed = new Map<string, number>();
  const arrivals: { mark: string; at: number }[] = [];
  for (const client of clients) {
    client.on(event, (value: unknown) => arrivals.push({ mark: markOf(value), at: clock.monotonic() }));
  }
  const start = clock.monotonic();
  for (let index = 0; index < COUNT; index += 1) {
    const wait = start + (index * 1000) / PER_SECOND - clock.monotonic();
    if (wait > 0) await clock.sleep(wait);
    const mark = `m${index}`;
    await commit(mark);
    committed.set(mark, clock.monotonic());
  }
  const expected = COUNT * clients.length;
  for (let waited = 0; arrivals.length < expected && waited < PATIENCE_MS; waited += 20) await clock.sleep(20);
  if (arrivals.length !== expected) throw new Error(`${arrivals.length} arrived, expected ${expected}`);
  // An event may be there before the producer has heard of its own commit.
  return arrivals.map(({ mark, at }) => Math.max(0, at - (committed.get(mark) ?? 0))).sort((a, b) => a - b);
}

const at = (sorted: readonly number[], share: number) => sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
const line = (name: string, sorted: readonly number[]) =>
  `${name.padEnd(34)} p50 ${at(sorted, 0.5).toFixed(1)} ms  p99 ${at(sorted, 0.99).toFixed(1)} ms  max ${at(sorted, 1).toFixed(1)} ms`;

async function connected(url: string, path: string): Promise<Socket[]> {
  const sockets = Array.from({ length: CLIENTS }, () =>
    io(url, { path, auth: { token: 'bench' }, transports: ['websocket'], forceNew: true }),
  );
  await Promise.all(sockets.map((socket) => new Promise<void>((resolve) => socket.once('connect', () => resolve()))));
  return sockets;
}

const [postgres, redis] = await Promise.all([startPostgres(), startRedis({ aof: true })]);
const bus = await createBus({ kind: 'redis', url: redis.url, clock, logger });
const config = loadConfig(eventsConfig, {});
const module = createEventsService({ config, databaseUrl: postgres.url, bus, authenticator, clock, logger });
const http = createHttpServer({
  modules: [module],
  authenticator,
  logger,
  clock,
  metrics: createMetrics(),
  host: '127.0.0.1',
  port: 0,
});
const { port } = await http.listen();
await module.start();
const producer = createDatabase({ url: postgres.url, schema: 'producer', applicationName: 'producer', logger });
await producer.migrate(new URL('./', import.meta.url));
const relay = createOutboxRelay({ db: producer, bus, clock, logger });
await relay.start();
const clients = await connected(`http://127.0.0.1:${port}`, LIVE_FEED.path);
for (const client of clients) await client.timeout(10_000).emitWithAck(LIVE_FEED.subscribe, { project: 'bench' });

const bareHttp = createServer().listen(0, '127.0.0.1');
await new Promise<void>((resolve) => bareHttp.once('listening', () => resolve()));
const bare = new Server(bareHttp);
const unlisten = await producer.listen('bench', (mark) => bare.emit('bare', mark));
const bareClients = await connected(`http://127.0.0.1:${(bareHttp.address() as AddressInfo).port}`, '/socket.io');

const ours = await measure(
  clients,
  LIVE_FEED.event,
  async (mark) => {
    const data = { id: newId('project', clock), name: 'bench', displayName: mark, createdBy: newId('user', clock) };
    const draft = { type: 'skyrun.project.created.v1', subject: `projects/${mark}`, project: 'bench', data } as const;
    await producer.transaction((tx) => appendEvents(tx, 'producer', [draft], clock));
  },
  (value) => eventEnvelope.parse(value).subject.replace('projects/', ''),
);
const peer = await measure(
  bareClients,
  'bare',
  async (mark) => {
    await producer.transaction((tx) => tx.query(`select pg_notify('bench', $1)`, [mark]));
  },
  String,
);

process.stdout.write(`${COUNT} events at ${PER_SECOND}/s to ${CLIENTS} clients, from commit to client\n`);
process.stdout.write(
  `${line('outbox → bus → log → socket.io', ours)}\n${line('NOTIFY → socket.io (keeps nothing)', peer)}\n`,
);
process.stdout.write(`ratio at p50: ${(at(ours, 0.5) / Math.max(0.1, at(peer, 0.5))).toFixed(1)}\n`);
const holds = at(ours, 0.99) <= LIMIT_MS;
process.stdout.write(`p99 ≤ ${LIMIT_MS} ms: ${holds ? 'holds' : 'does not hold'}\n`);

for (const socket of [...clients, ...bareClients]) socket.disconnect();
await unlisten();
bare.disconnectSockets(true);
bareHttp.close();
await relay.stop();
await http.close(500);
await module.stop();
await producer.close();
await bus.close();
await Promise.all([postgres.stop(), redis.stop()]);
process.exit(holds ? 0 : 1);
