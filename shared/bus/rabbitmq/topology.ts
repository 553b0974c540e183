import { EVENT_TYPES } from '@skyrun/contracts';
import type { Channel } from 'amqplib';
import { groupConflict } from '../errors.ts';
import type { Group } from '../group.ts';
import type { Names } from './names.ts';

/**
 * RabbitMQ counts a delivery for everything it takes back, also for what a stopped consumer had not looked at; a low limit (20
 * since 4.0) would make dead letters of healthy events when a service restarts often. Our own attempts are the limit.
 */
const DELIVERY_LIMIT = 1_000_000;
/** Events an ephemeral subscriber may lag behind before the oldest are dropped. */
const EPHEMERAL_LENGTH = 10_000;

/**
 * Declares a group's queue, its bindings and its dead letters. Bindings to types it no longer asks for are removed.
 * @throws BusError `bus.group_conflict`; the channel is closed then
 */
export async function declareRabbitGroup(channel: Channel, names: Names, group: Group): Promise<void> {
  const queue = names.queue(group.name);
  await channel.assertQueue(names.dead(group.name), {
    durable: true,
    arguments: { 'x-queue-type': 'quorum', 'x-delivery-limit': DELIVERY_LIMIT },
  });
  try {
    await channel.assertQueue(queue, {
      durable: true,
      arguments: {
        'x-queue-type': 'quorum',
        'x-single-active-consumer': group.ordered,
        'x-delivery-limit': DELIVERY_LIMIT,
        'x-dead-letter-exchange': '',
        'x-dead-letter-routing-key': names.dead(group.name),
      },
    });
  } catch (error) {
    throw isPreconditionFailed(error) ? groupConflict(group.name, error) : error;
  }
  await Promise.all(
    EVENT_TYPES.map((type) =>
      group.types.has(type)
        ? channel.bindQueue(queue, names.exchange, type)
        : channel.unbindQueue(queue, names.exchange, type),
    ),
  );
  await Promise.all(group.types.team.map((pattern) => channel.bindQueue(queue, names.exchange, bindingOf(pattern))));
}

/** A queue that lives as long as the connection. Returns its name. */
export async function declareEphemeral(channel: Channel, names: Names, group: Group): Promise<string> {
  const { queue } = await channel.assertQueue('', {
    exclusive: true,
    autoDelete: true,
    durable: false,
    maxLength: EPHEMERAL_LENGTH,
  });
  const keys = [...group.types.catalogue, ...group.types.team.map(bindingOf)];
  await Promise.all(keys.map((key) => channel.bindQueue(queue, names.exchange, key)));
  return queue;
}

/** `team.shop.*` → `team.shop.#`: our `*` is one or more words, which AMQP writes `#`. */
function bindingOf(pattern: string): string {
  return pattern.replace('*', '#');
}

function isPreconditionFailed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 406;
}
