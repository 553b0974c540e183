import { type Logger, silentLogger, systemClock } from '@skyrun/kit';
import { startRabbitmq, until } from '@skyrun/testing';
import { connect } from 'amqplib';
import { expect, it } from 'vitest';
import { interleaved } from '../conformance/workbench.ts';
import { createBus } from '../create-bus.ts';
import { namesOf } from './names.ts';

const GROUP = { group: 'g', types: ['skyrun.usage.*'] };

it('says what to do with a queue that a kill has spoilt, and goes on when that was done', async () => {
  const server = await startRabbitmq();
  const { queue } = namesOf('spoilt');
  const model = await connect(server.url);
  model.on('error', () => undefined);
  const channel = await model.createChannel();
  channel.on('error', () => undefined);
  // What the bus declares, without what comes after it: the kill must hit the moment.
  const shape = { 'x-queue-type': 'quorum', 'x-single-active-consumer': true, 'x-delivery-limit': 1_000_000 };
  const dead = { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': namesOf('spoilt').dead(GROUP.group) };
  await channel.assertQueue(queue(GROUP.group), { durable: true, arguments: { ...shape, ...dead } });
  await server.kill();
  await server.restart();

  const said: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (fields: unknown) => void said.push(JSON.stringify(reasonOf(fields))),
  };
  const bus = await createBus({
    kind: 'rabbitmq',
    url: server.url,
    namespace: 'spoilt',
    clock: systemClock,
    logger,
  });
  let handled = 0;
  let established = false;
  const handler = async () => {
    handled += 1;
  };
  const subscribing = bus.subscribe({ ...GROUP, handler }).then(() => {
    established = true;
  });
  const remedy = `rabbitmqctl delete_queue ${queue(GROUP.group)}`;
  await until(() => established || said.some((text) => text.includes(remedy)), 60_000);
  // Now and then the kill comes too late to spoil it.
  if (!established) {
    const again = await connect(server.url);
    await (await again.createChannel()).deleteQueue(queue(GROUP.group));
    await again.close();
  }
  await subscribing;
  await bus.publish(interleaved(['a'], 3));
  await until(() => handled === 3, 30_000);
  expect(handled).toBe(3);
  await bus.close();
  await server.stop();
}, 150_000);

function reasonOf(fields: unknown): string {
  const error = typeof fields === 'object' && fields !== null && 'error' in fields ? fields.error : undefined;
  return error instanceof Error ? error.message : '';
}
