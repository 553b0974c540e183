import { silentLogger, systemClock } from '@skyrun/kit';
import { startRabbitmq, type TestRabbitmq } from '@skyrun/testing';
import { type ChannelModel, connect } from 'amqplib';
import { afterAll, beforeAll } from 'vitest';
import { busConformance } from '../conformance/conformance.ts';
import { createBus } from '../create-bus.ts';
import { namesOf } from './names.ts';

let server: TestRabbitmq;

beforeAll(async () => {
  server = await startRabbitmq();
});
afterAll(async () => {
  await server.stop();
});

async function withConnection(work: (model: ChannelModel) => Promise<void>): Promise<void> {
  const model = await connect(server.url);
  try {
    await work(model);
  } finally {
    await model.close();
  }
}

busConformance('rabbitmq', () => ({
  connect: (namespace, retry) =>
    createBus({ kind: 'rabbitmq', url: server.url, namespace, retry, clock: systemClock, logger: silentLogger }),
  inject: (namespace, type, body) =>
    withConnection(async (model) => {
      const channel = await model.createConfirmChannel();
      channel.publish(namesOf(namespace).exchange, type, Buffer.from(body));
      await channel.waitForConfirms();
    }),
  async restart() {
    await server.kill();
    await systemClock.sleep(300);
    await server.restart();
  },
}));
