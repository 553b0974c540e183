/**
 * The outbox on a private PostgreSQL and Redis with the product's settings (every commit synced, AOF synced every second): `./skyrun bench outbox [enqueue] [latency[=SECONDS]] [rate=N] [backlog[=N]]`, all by default.
 *
 * enqueue: transactions that write a row and an event through the outbox, against the same transactions with a plain INSERT of the
 *          same event into a table with a primary key, in turns; the ratio of their times.
 * latency: from before the producing transaction to after the consumer's (effect and inbox mark), at `rate` (1,000) events per second.
 * backlog: N events (a million) wait; how fast they are sent to Redis, tenth by tenth, and in how much memory.
 */
import { createBus } from '@skyrun/bus';
import type { AnyEvent, EventDraft } from '@skyrun/contracts';
import { isoTime, silentLogger, systemClock } from '@skyrun/kit';
import { startPostgres, startRedis } from '@skyrun/testing';
import { appendEvents, createDatabase, createOutboxRelay, type Database, once } from '../index.ts';

const WHEN = isoTime(0);
const asked = process.argv.slice(2);
const wants = (name: string) =>
  asked.every((each) => each.startsWith('rate=')) || asked.some((each) => each.split('=')[0] === name);
const number = (name: string, otherwise: number) =>
  Number(asked.find((each) => each.startsWith(`${name}=`))?.split('=')[1] ?? otherwise);
const say = (text: string) => process.stdout.write(`${text}\n`);

const draft = (index: number): EventDraft => ({
  type: 'skyrun.usage.lost.v1',
  subject: `gateways/${index % 1_000}`,
  data: { gateway: String(index % 1_000), from: WHEN, until: WHEN },
});

function quantile(values: readonly number[], at: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * at))] ?? 0;
}

/** Eight at a time, as a service under load; milliseconds for all. */
async function timed(count: number, work: (index: number) => Promise<unknown>): Promise<number> {
  const start = systemClock.monotonic();
  let next = 0;
  const worker = async () => {
    for (let index = next++; index < count; index = next++) await work(index);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return systemClock.monotonic() - start;
}

async function enqueue(db: Database): Promise<void> {
  const [rounds, count] = [15, 600];
  await db.query('create table work (id bigint generated always as identity primary key, name text not null)');
  await db.query(`create table plain (
    id bigint generated always as identity primary key, event_id text not null, event json not null,
    created_at timestamptz not null default now())`);
  const row = 'insert into work (name) values ($1)';
  const through = (index: number) =>
    db.transaction(async (tx) => {
      await tx.query(row, ['x']);
      await appendEvents(tx, 'bench', [draft(index)], systemClock);
    });
  const event: AnyEvent | undefined = (
    await db.transaction((tx) => appendEvents(tx, 'bench', [draft(0)], systemClock))
  )[0];
  const plain = (index: number) =>
    db.transaction(async (tx) => {
      await tx.query(row, ['x']);
      await tx.query('insert into plain (event_id, event) values ($1, $2)', [String(index), JSON.stringify(event)]);
    });
  const ratios: number[] = [];
  const ours: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    const first = round % 2 === 0;
    const early = await timed(count, first ? through : plain);
    const late = await timed(count, first ? plain : through);
    const [outbox, bare] = first ? [early, late] : [late, early];
    // Round 0 warms up.
    if (round > 0) ratios.push(outbox / bare);
    if (round > 0) ours.push((count / outbox) * 1_000);
  }
  say(
    `enqueue: ${Math.round(quantile(ours, 0.5))} transactions/s, ${quantile(ratios, 0.5).toFixed(2)} times a plain INSERT (median of ${rounds} rounds in turn)`,
  );
}

async function latency(db: Database, consumer: Database, redisUrl: string): Promise<void> {
  const [perSecond, seconds] = [number('rate', 1_000), number('latency', 15)];
  await db.query('truncate outbox');
  await db.query('create table effects (event_id text not null)');
  const options = { kind: 'redis', url: redisUrl, clock: systemClock, logger: silentLogger } as const;
  const [sender, receiver] = [await createBus(options), await createBus(options)];
  const began = new Map<string, number>();
  const committed = new Map<string, number>();
  const published = new Map<string, number>();
  const stages = { commit: [] as number[], relay: [] as number[], bus: [] as number[], effect: [] as number[] };
  const took: number[] = [];
  await receiver.subscribe({
    group: 'bench',
    types: ['skyrun.usage.*'],
    async handler(event) {
      const from = systemClock.monotonic();
      await consumer.transaction(async (tx) => {
        if (await once(tx, 'bench', event)) await tx.query('insert into effects values ($1)', [event.id]);
      });
      const at = systemClock.monotonic();
      const of = (moments: Map<string, number>) => moments.get(event.id) ?? 0;
      took.push(at - of(began));
      stages.commit.push(of(committed) - of(began));
      stages.relay.push(of(published) - of(committed));
      stages.bus.push(from - of(published));
      stages.effect.push(at - from);
    },
  });
  const relay = createOutboxRelay({
    db,
    clock: systemClock,
    logger: silentLogger,
    bus: {
      publish(events) {
        const now = systemClock.monotonic();
        for (const { id } of events) published.set(id, now);
        return sender.publish(events);
      },
    },
  });
  await relay.start();
  const start = systemClock.monotonic();
  const running: Promise<void>[] = [];
  let ended = 0;
  const produce = async (index: number) => {
    const from = systemClock.monotonic();
    const [event] = await db.transaction((tx) => appendEvents(tx, 'bench', [draft(index)], systemClock));
    ended += 1;
    if (!event) return;
    began.set(event.id, from);
    committed.set(event.id, systemClock.monotonic());
  };
  for (let sent = 0; sent < perSecond * seconds; ) {
    // Open loop: what is due is begun, however long the others take.
    const due = Math.floor(((systemClock.monotonic() - start) / 1_000) * perSecond);
    for (; sent < Math.min(due, perSecond * seconds); sent += 1) running.push(produce(sent));
    if (sent - ended > perSecond)
      throw new Error(`this machine does not do ${perSecond} events a second now; try rate=N`);
    await systemClock.sleep(2);
  }
  await Promise.all(running);
  while (took.length < perSecond * seconds) await systemClock.sleep(20);
  const [p50, p99] = [quantile(took, 0.5).toFixed(1), quantile(took, 0.99).toFixed(1)];
  const rate = Math.round(took.length / ((systemClock.monotonic() - start) / 1_000));
  say(
    `latency: at ${perSecond}/s for ${seconds} s, outbox to effect p50 ${p50} ms, p99 ${p99} ms (${rate}/s took effect)`,
  );
  const each = Object.entries(stages).map(
    ([name, values]) => `${name} ${quantile(values, 0.5).toFixed(1)} / ${quantile(values, 0.99).toFixed(1)}`,
  );
  say(`  of that, p50 / p99 in ms: ${each.join(', ')}`);
  await relay.stop();
  await Promise.all([sender.close(), receiver.close()]);
}

async function backlog(db: Database, redisUrl: string): Promise<void> {
  const count = number('backlog', 1_000_000);
  await db.query('truncate outbox');
  const event = JSON.stringify({
    specversion: '1.0',
    source: '/skyrun/bench',
    type: 'skyrun.usage.lost.v1',
    time: WHEN,
    datacontenttype: 'application/json',
    data: { gateway: 'g', from: WHEN, until: WHEN },
  });
  await db.query(
    `insert into outbox (event_id, event, sequence)
     select 'evt_' || n, ($1::jsonb || jsonb_build_object('id', 'evt_' || n, 'subject', 'gateways/' || n % 1000))::json, n / 1000 + 1
     from generate_series(1, $2::int) as n`,
    [event, count],
  );
  const bus = await createBus({ kind: 'redis', url: redisUrl, clock: systemClock, logger: silentLogger });
  let sent = 0;
  let ordered = true;
  const last = new Map<string, number>();
  let from = systemClock.monotonic();
  const tenths: string[] = [];
  const relay = createOutboxRelay({
    db,
    clock: systemClock,
    logger: silentLogger,
    bus: {
      async publish(events) {
        await bus.publish(events);
        for (const { subject, sequence } of events) {
          ordered &&= sequence > (last.get(subject) ?? 0);
          last.set(subject, sequence);
        }
        const before = Math.floor((sent * 10) / count);
        sent += events.length;
        if (Math.floor((sent * 10) / count) === before) return;
        const now = systemClock.monotonic();
        const memory = Math.round(process.memoryUsage().rss / 1_048_576);
        tenths.push(`${Math.round(count / 10 / ((now - from) / 1_000))}/s at ${memory} MB`);
        from = now;
      },
    },
  });
  await relay.start();
  while (sent < count) await systemClock.sleep(50);
  await relay.stop();
  await bus.close();
  say(`backlog: ${count} events, ${ordered ? 'in order' : 'OUT OF ORDER'}; each tenth: ${tenths.join(', ')}`);
  if (!ordered) process.exitCode = 1;
}

const [postgres, redis] = await Promise.all([startPostgres({ durable: true }), startRedis({ aof: true })]);
const { url } = await postgres.createDatabase('bench');
const open = (applicationName: string) =>
  createDatabase({ url, schema: 'bench', applicationName, poolSize: 20, logger: silentLogger });
const db = open('bench');
// As another service has its own connections.
const consumer = open('bench-consumer');
await db.migrate(new URL('../fixtures/migrations/', import.meta.url));
if (wants('enqueue')) await enqueue(db);
if (wants('latency')) await latency(db, consumer, redis.url);
if (wants('backlog')) await backlog(db, redis.url);
await Promise.all([db.close(), consumer.close()]);
await Promise.all([postgres.stop(), redis.stop()]);
