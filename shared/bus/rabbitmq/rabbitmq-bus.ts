import { type AnyEvent, parseEvent } from '@skyrun/contracts';
import type { Clock, Logger } from '@skyrun/kit';
import { BusError, closed, unavailable } from '../errors.ts';
import type { EventBus, GroupOptions, RetryPolicy, SubscribeOptions } from '../event-bus.ts';
import { assertGroupName, DEFAULT_PREFETCH, parseGroup } from '../group.ts';
import type { SessionLoop } from '../session-loop.ts';
import { RabbitConnection } from './connection.ts';
import { startRabbitConsumer } from './consumer.ts';
import { RabbitDeadLetters } from './dead-letters.ts';
import { namesOf } from './names.ts';
import { declareRabbitGroup } from './topology.ts';

export interface RabbitBusOptions {
  readonly url: string;
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retry: RetryPolicy;
}

/** One topic exchange for all events, one quorum queue per group. Confirmed means on a majority of the queue's replicas. */
export function createRabbitBus({ url, namespace, clock, logger, retry }: RabbitBusOptions): EventBus {
  const names = namesOf(namespace);
  const connection = new RabbitConnection({ url, names, clock, logger });
  const subscriptions = new Set<SessionLoop>();
  const letters = new Map<string, RabbitDeadLetters>();
  let closing: Promise<void> | undefined;

  const assertOpen = () => {
    if (closing) throw closed();
  };

  const shutDown = async () => {
    await Promise.all([...subscriptions].map((subscription) => subscription.close()));
    await connection.close();
  };

  return {
    async publish(events: readonly AnyEvent[]) {
      assertOpen();
      const messages = events.map((event) => ({
        exchange: names.exchange,
        routingKey: event.type,
        body: JSON.stringify(parseEvent(event)),
      }));
      try {
        await connection.now().publisher.send(messages);
      } catch (error) {
        throw error instanceof BusError ? error : unavailable(`${events.length} events`, error);
      }
    },

    async declareGroup(options: GroupOptions) {
      assertOpen();
      const group = parseGroup(options);
      const channel = await connection.now().model.createChannel();
      let open = true;
      channel.on('error', (error) => logger.debug({ group: group.name, error }, 'declaring channel'));
      channel.on('close', () => {
        open = false;
      });
      try {
        await declareRabbitGroup(channel, names, group);
      } finally {
        if (open) await channel.close();
      }
    },

    async subscribe(options: SubscribeOptions) {
      assertOpen();
      const group = parseGroup(options);
      const { handler, prefetch = DEFAULT_PREFETCH, ephemeral = false } = options;
      const loop = startRabbitConsumer({
        connection,
        names,
        group,
        prefetch,
        ephemeral,
        handler,
        clock,
        logger,
        retry,
      });
      subscriptions.add(loop);
      const close = async () => {
        await loop.close();
        subscriptions.delete(loop);
      };
      await loop.established.catch(async (error: unknown) => {
        await close();
        throw error;
      });
      return { close };
    },

    deadLetters(group) {
      assertGroupName(group);
      const known = letters.get(group) ?? new RabbitDeadLetters({ connection, names, group, clock, logger });
      letters.set(group, known);
      return known;
    },

    ready: () => connection.ready(),

    close() {
      closing ??= shutDown();
      return closing;
    },
  };
}
