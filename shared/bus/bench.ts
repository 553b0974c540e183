/**
 * Publish and consume N events through our bus and through the bare driver, on the same private server, in the same run.
 * `node shared/bus/bench.ts [events]` prints events per second and the ratio bus ÷ bare.
 * Both sides send the same bodies in batches of 200, wait for confirms, and acknowledge every event with 64 unsettled at most.
 */
import type { AnyEvent } from '@skyrun/contracts';
import { isoTime, silentLogger, systemClock } from '@skyrun/kit';
import { startRabbitmq, startRedis } from '@skyrun/testing';
import { connect } from 'amqplib';
import { Redis } from 'ioredis';
import { createBus } from './create-bus.ts';
import { parseRead } from './redis/replies.ts';

const COUNT = Number(process.argv[2] ?? 10_000);
const ROUNDS = Number(process.argv[3] ?? 5);
const BATCH = 200;
const PREFETCH = 64;
const WHEN = isoTime(0);

const events = Array.from(
  { length: COUNT },
  (_, index): AnyEvent => ({
    specversion: '1.0',
    id: `e${index}`,
    source: '/skyrun/bench',
    type: 'skyrun.usage.lost.v1',
    subject: `gateways/${index % 100}`,
    time: WHEN,
    datacontenttype: 'application/json',
    sequence: index,
    data: { gateway: `${index % 100}`, from: WHEN, until: WHEN },
  }),
);
const batches = Array.from({ length: Math.ceil(COUNT / BATCH) }, (_, index) =>
  events.slice(index * BATCH, (index + 1) * BATCH),
);

/** Counts to COUNT. */
function counter() {
  const { promise, resolve } = Promise.withResolvers<void>();
  let count = 0;
  const hit = () => {
    count += 1;
    if (count === COUNT) resolve();
  };
  return { done: promise, hit };
}

async function perSecond(run: () => Promise<void>): Promise<number> {
  const start = systemClock.monotonic();
  await run();
  return (COUNT / (systemClock.monotonic() - start)) * 1_000;
}

async function throughBus(kind: 'redis' | 'rabbitmq', url: string, round: number): Promise<number> {
  const bus = await createBus({ kind, url, namespace: `bus${round}`, clock: systemClock, logger: silentLogger });
  const { done, hit } = counter();
  const handler = async () => hit();
  await bus.subscribe({ group: 'bench', types: ['skyrun.usage.*'], prefetch: PREFETCH, handler });
  const rate = await perSecond(async () => {
    for (const batch of batches) await bus.publish(batch);
    await done;
  });
  await bus.close();
  return rate;
}

async function bareRabbit(url: string, round: number): Promise<number> {
  const name = `bare${round}`;
  const model = await connect(url);
  const publisher = await model.createConfirmChannel();
  const consumer = await model.createChannel();
  await publisher.assertExchange(name, 'topic', { durable: true });
  await consumer.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await consumer.bindQueue(name, name, 'skyrun.usage.lost.v1');
  await consumer.prefetch(PREFETCH);
  const { done, hit } = counter();
  await consumer.consume(name, (message) => {
    if (!message) return;
    JSON.parse(message.content.toString());
    consumer.ack(message);
    hit();
  });
  const rate = await perSecond(async () => {
    for (const batch of batches) {
      for (const event of batch) {
        publisher.publish(name, event.type, Buffer.from(JSON.stringify(event)), { persistent: true });
      }
      await publisher.waitForConfirms();
    }
    await done;
  });
  await model.close();
  return rate;
}

async function bareRedis(url: string, round: number): Promise<number> {
  const name = `bare${round}`;
  const [writer, reader] = [new Redis(url, { protocol: 2 }), new Redis(url, { protocol: 2 })];
  await writer.xgroup('CREATE', name, 'bench', '$', 'MKSTREAM');
  const { done, hit } = counter();
  let reading = true;
  const consuming = (async () => {
    while (reading) {
      const args = ['GROUP', 'bench', 'me', 'COUNT', PREFETCH, 'BLOCK', 100, 'STREAMS', name, '>'] as const;
      const entries = parseRead(await reader.xreadgroup(...args));
      for (const { fields } of entries) JSON.parse(String(fields?.[1]));
      if (entries.length > 0) await writer.xack(name, 'bench', ...entries.map(({ id }) => id));
      for (const _ of entries) hit();
    }
  })();
  const rate = await perSecond(async () => {
    for (const batch of batches) {
      const step = writer.pipeline();
      for (const event of batch) step.xadd(name, '*', 'e', JSON.stringify(event));
      await step.exec();
    }
    await done;
  });
  reading = false;
  await consuming;
  writer.disconnect();
  reader.disconnect();
  return rate;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

/** Ours and the peer in turn, so that a noisy machine is noisy to both; the figure is the median of the rounds. */
async function compare(
  kind: string,
  peer: string,
  ours: (round: number) => Promise<number>,
  bare: (round: number) => Promise<number>,
): Promise<void> {
  const rounds: { ours: number; bare: number }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const result = { ours: await ours(round), bare: await bare(round) };
    // The first one warms up code and server.
    if (round > 0) rounds.push(result);
  }
  const figures = `${Math.round(median(rounds.map((each) => each.ours)))}/s through the bus, ${Math.round(median(rounds.map((each) => each.bare)))}/s bare ${peer}`;
  const ratio = median(rounds.map((each) => each.ours / each.bare));
  process.stdout.write(`${kind}: ${figures}, ratio ${ratio.toFixed(2)} (median of ${ROUNDS} rounds in turn)\n`);
}

const redis = await startRedis({ aof: true });
await compare(
  'redis',
  'ioredis',
  (round) => throughBus('redis', redis.url, round),
  (round) => bareRedis(redis.url, round),
);
await redis.stop();
const rabbit = await startRabbitmq();
await compare(
  'rabbitmq',
  'amqplib',
  (round) => throughBus('rabbitmq', rabbit.url, round),
  (round) => bareRabbit(rabbit.url, round),
);
await rabbit.stop();
