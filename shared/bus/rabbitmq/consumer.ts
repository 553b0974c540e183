import { backoff, type Clock, type Logger } from '@skyrun/kit/base';
import type { Channel, ConsumeMessage } from 'amqplib';
import { type Delivery, Dispatcher } from '../dispatcher.ts';
import type { EventHandler, RetryPolicy } from '../event-bus.ts';
import type { Group } from '../group.ts';
import { type Session, SessionLoop } from '../session-loop.ts';
import { Acknowledgements } from './acknowledgements.ts';
import type { Link, RabbitConnection } from './connection.ts';
import { letterMessage } from './dead-letters.ts';
import type { Names } from './names.ts';
import { declareEphemeral, declareRabbitGroup } from './topology.ts';

const CLOSE_TIMEOUT_MS = 5_000;
/** Shorter than what a publisher waits for a confirm: it would cut the connection before anybody learned why. */
const SERVE_TIMEOUT_MS = 6_000;

export interface RabbitConsumerOptions {
  readonly connection: RabbitConnection;
  readonly names: Names;
  readonly group: Group;
  readonly prefetch: number;
  readonly ephemeral: boolean;
  readonly handler: EventHandler;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retry: RetryPolicy;
}

/**
 * One consumer: one channel per session. An ordered group's queue has a single active consumer; which one is RabbitMQ's
 * business. It is closed by closing its channel after the running handlers have ended, never by cancelling: a cancelled
 * consumer's successor would start while this one still works.
 */
export function startRabbitConsumer(options: RabbitConsumerOptions): SessionLoop {
  const { group, clock, logger } = options;
  return new SessionLoop({
    name: group.name,
    clock,
    logger,
    delay: backoff({ baseMs: 50, maxMs: 2_000 }),
    async run(session) {
      const link = await options.connection.link(session.signal);
      if (link) await consume(options, session, link);
    },
  });
}

async function consume(options: RabbitConsumerOptions, session: Session, link: Link): Promise<void> {
  const { names, group, prefetch, ephemeral, handler, clock, logger, retry } = options;
  const channel = await link.model.createChannel();
  const acknowledgements = new Acknowledgements(channel);
  const ended = Promise.withResolvers<void>();
  let open = true;
  const lose = (reason: string) => {
    session.lost(reason);
    ended.resolve();
  };
  channel.on('error', (error) => logger.debug({ group: group.name, error }, 'consuming channel'));
  channel.on('close', () => {
    open = false;
    lose('the channel was closed');
  });
  const closing = Promise.withResolvers<void>();
  session.onClosing(() => {
    closing.resolve();
    ended.resolve();
  });
  const dispatcher = new Dispatcher({
    name: group.name,
    types: group.types,
    prefetch,
    sideBySide: group.sideBySide,
    handler,
    clock,
    logger,
    retry,
    ephemeral,
  });
  session.consuming(dispatcher);
  try {
    const established = (async () => {
      const queue = ephemeral ? await declareEphemeral(channel, names, group) : names.queue(group.name);
      if (!ephemeral) await declareRabbitGroup(channel, names, group);
      await channel.prefetch(prefetch);
      const consuming = channel.consume(queue, (message) => {
        if (message) dispatcher.accept(toDelivery(options, acknowledgements, message));
        else lose('the broker cancelled the consumer');
      });
      await served(queue, consuming, clock);
      session.established();
    })();
    // A broker that does not answer must not hold up closing.
    await Promise.race([established, closing.promise]);
    await ended.promise;
  } finally {
    await session.wind(dispatcher);
    if (open) {
      acknowledgements.flush();
      await closeChannel(channel, options);
    }
  }
}

/** A queue without a leader is declared as if nothing were wrong, and neither confirms nor serves. @throws Error that says what to do */
async function served(queue: string, consuming: Promise<unknown>, clock: Clock): Promise<void> {
  const late = Promise.withResolvers<never>();
  const cancel = clock.setTimeout(SERVE_TIMEOUT_MS, () =>
    late.reject(
      new Error(
        `RabbitMQ has the queue ${queue} and does not serve it. If it was killed in the moment in which the queue was made, the queue is ` +
          `empty and spoilt: delete it (rabbitmqctl delete_queue ${queue}), and it is made anew. In a cluster, see to its majority instead`,
      ),
    ),
  );
  try {
    await Promise.race([consuming, late.promise]);
  } finally {
    cancel();
  }
}

/** The broker takes everything unsettled back, in order, when the channel closes. */
async function closeChannel(channel: Channel, { clock, logger, group }: RabbitConsumerOptions): Promise<void> {
  const late = Promise.withResolvers<void>();
  const cancel = clock.setTimeout(CLOSE_TIMEOUT_MS, () => late.resolve());
  const closing = channel.close().catch((error: unknown) => logger.debug({ group: group.name, error }, 'channel gone'));
  await Promise.race([closing, late.promise]);
  cancel();
}

function toDelivery(
  options: RabbitConsumerOptions,
  acknowledgements: Acknowledgements,
  message: ConsumeMessage,
): Delivery {
  const { connection, names, group } = options;
  return {
    body: message.content.toString(),
    done() {
      acknowledgements.add(message);
      return undefined;
    },
    async bury(failure) {
      await connection.now().publisher.send([letterMessage(names.dead(group.name), message.content, failure)]);
      acknowledgements.add(message);
    },
  };
}
