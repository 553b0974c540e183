/**
 * Publish and consume N events through our bus and through the bare driver, on the same private server, in the same run.
 * `./skyrun bench bus [redis] [rabbitmq] [events=N] [rounds=N]` prints events per second and the ratio bus ÷ bare. Many short rounds
 * in turn, and the median of their ratios: what else the machine does is then in both sides of most rounds.
 * Both sides send the same bodies in batches of 200, wait for confirms, and acknowledge every event with 64 unsettled at most.
 */
import type { AnyEvent } from '@skyrun/contracts';
import { isoTime, silentLogger, systemClock } from '@skyrun/kit';
import { startRabbitmq, startRedis } from '@skyrun/testing';
import { type ConsumeMessage, connect } from 'amqplib';
import { Redis } from 'ioredis';
import { createBus } from './create-bus.ts';
import { parseRead } from './redis/replies.ts';

const asked = process.argv.slice(2);
const number = (name: string, otherwise: number) =>
  Number(asked.find((each) => each.startsWith(`${name}=`))?.split('=')[1] ?? otherwise);
const wants = (kind: string) => asked.includes(kind) || !asked.some((each) => /^[a-z]+$/.test(each));
const COUNT = number('events', 4_000);
const ROUNDS = number('rounds', 15);
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

interface Pace {
  /** Events per second, from the first publish to the last acknowledged event. */
  readonly rate: number;
  /** Microseconds of this process's CPU per event. */
  readonly cpu: number;
}

async function pace(run: () => Promise<void>): Promise<Pace> {
  const start = systemClock.monotonic();
  const cpu = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(cpu);
  return { rate: (COUNT / (systemClock.monotonic() - start)) * 1_000, cpu: (user + system) / COUNT };
}

async function throughBus(kind: 'redis' | 'rabbitmq', url: string, round: number): Promise<Pace> {
  const bus = await createBus({ kind, url, namespace: `bus${round}`, clock: systemClock, logger: silentLogger });
  const { done, hit } = counter();
  const handler = async () => hit();
  await bus.subscribe({ group: 'bench', types: ['skyrun.usage.*'], prefetch: PREFETCH, handler });
  const result = await pace(async () => {
    for (const batch of batches) await bus.publish(batch);
    await done;
  });
  await bus.close();
  return result;
}

async function bareRabbit(url: string, round: number): Promise<Pace> {
  const name = `bare${round}`;
  const model = await connect(url);
  const publisher = await model.createConfirmChannel();
  const consumer = await model.createChannel();
  await publisher.assertExchange(name, 'topic', { durable: true });
  await consumer.assertQueue(name, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
  await consumer.bindQueue(name, name, 'skyrun.usage.lost.v1');
  await consumer.prefetch(PREFETCH);
  const { done, hit } = counter();
  let last: ConsumeMessage | null = null;
  let open = true;
  await consumer.consume(name, (message) => {
    if (!message) return;
    JSON.parse(message.content.toString());
    if (!last) {
      setImmediate(() => {
        if (last && open) consumer.ack(last, true);
        last = null;
      });
    }
    last = message;
    hit();
  });
  const result = await pace(async () => {
    for (const batch of batches) {
      for (const event of batch) {
        publisher.publish(name, event.type, Buffer.from(JSON.stringify(event)), { persistent: true });
      }
      await publisher.waitForConfirms();
    }
    await done;
  });
  open = false;
  await model.close();
  return result;
}

async function bareRedis(url: string, round: number): Promise<Pace> {
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
  const result = await pace(async () => {
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
  return result;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

type Side = (round: number) => Promise<Pace>;

/** Ours and the peer in turn, so that a noisy machine is noisy to both; the figures are the medians of the rounds. */
async function compare(kind: string, peer: string, bus: Side, bare: Side): Promise<void> {
  const rounds: { bus: Pace; bare: Pace }[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const first = round % 2 === 0;
    const early = first ? await bus(round) : await bare(round);
    const late = first ? await bare(round) : await bus(round);
    // Round 0 warms up code and server.
    if (round > 0) rounds.push(first ? { bus: early, bare: late } : { bus: late, bare: early });
  }
  const of = (pick: (round: { bus: Pace; bare: Pace }) => number) => median(rounds.map(pick));
  const side = (name: string, which: 'bus' | 'bare') =>
    `${Math.round(of((round) => round[which].rate))}/s (${of((round) => round[which].cpu).toFixed(1)} µs CPU) ${name}`;
  const ratio = of(({ bus, bare }) => bus.rate / bare.rate).toFixed(2);
  process.stdout.write(
    `${kind}: ${side('through the bus', 'bus')}, ${side(`bare ${peer}`, 'bare')}, ratio ${ratio} (median of ${ROUNDS} rounds in turn)\n`,
  );
}

if (wants('redis')) {
  const redis = await startRedis({ aof: true });
  await compare(
    'redis',
    'ioredis',
    (round) => throughBus('redis', redis.url, round),
    (round) => bareRedis(redis.url, round),
  );
  await redis.stop();
}
if (wants('rabbitmq')) {
  const rabbit = await startRabbitmq();
  await compare(
    'rabbitmq',
    'amqplib',
    (round) => throughBus('rabbitmq', rabbit.url, round),
    (round) => bareRabbit(rabbit.url, round),
  );
  await rabbit.stop();
}
