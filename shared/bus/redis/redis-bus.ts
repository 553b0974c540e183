import { type AnyEvent, parseEvent } from '@skyrun/contracts';
import { type Clock, createTicker, type Logger } from '@skyrun/kit/base';
import { closed, unavailable } from '../errors.ts';
import type { EventBus, GroupOptions, RetryPolicy, SubscribeOptions } from '../event-bus.ts';
import { assertGroupName, DEFAULT_PREFETCH, parseGroup } from '../group.ts';
import type { SessionLoop } from '../session-loop.ts';
import { commandConnection } from './connection.ts';
import { startRedisConsumer } from './consumer.ts';
import { redisDeadLetters } from './dead-letters.ts';
import { keysOf } from './keys.ts';
import { startRedisTail } from './tail.ts';
import { declareRedisGroup } from './topology.ts';
import { trim } from './trim.ts';

const TRIM_EVERY_MS = 2_000;
/** Of these, who only publishes takes one in ten: mostly somebody reads, and who reads trims. */
const TRIMS_OF_PUBLISHERS = 10;
/** For the slowest of the replicas that must have what is published. */
const REPLICATE_MS = 2_000;
/** Events in one step: Redis serves nobody else meanwhile. */
const PUBLISH_BATCH = 500;
/**
 * All or nothing, in one command with one argument: JSON has no raw line ends, so they part the events. One command, or one
 * argument, per event is what most of the client's time would go into.
 */
const APPEND = `for body in string.gmatch(ARGV[1], '[^\\n]+') do redis.call('XADD', KEYS[1], '*', 'e', body) end`;

export interface RedisBusOptions {
  readonly url: string;
  readonly namespace: string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retry: RetryPolicy;
  /** Milliseconds after which another consumer of a shared group takes a delivery over; 15 000 by default. */
  readonly staleMs?: number;
  /** Replicas that must have an event before it counts as published; 0 by default. */
  readonly replicas?: number;
}

/**
 * One stream for all events, one consumer group per group.
 * Confirmed means written to Redis' append-only file; how much of that a power failure takes is its `appendfsync`. With
 * `replicas`, it means that so many of them have it, too: what is promoted when the server is lost lacks nothing that was confirmed.
 */
export function createRedisBus(options: RedisBusOptions): EventBus {
  const { url, namespace, clock, logger, retry, staleMs, replicas = 0 } = options;
  const keys = keysOf(namespace);
  const commands = commandConnection(url, logger);
  // Waiting for replicas holds up everything behind it on the connection, and leases must be renewed.
  const publishing = replicas === 0 ? commands : commandConnection(url, logger);
  const subscriptions = new Set<SessionLoop>();
  let closing: Promise<void> | undefined;
  let [reads, ticks] = [false, 0];

  const trimmer = createTicker({
    name: 'bus.trim',
    clock,
    logger,
    everyMs: TRIM_EVERY_MS,
    run: async () => {
      ticks += 1;
      if (!reads && ticks % TRIMS_OF_PUBLISHERS !== 0) return;
      if (commands.status === 'ready') await trim(commands, keys);
    },
  });
  trimmer.start();

  const assertOpen = () => {
    if (closing) throw closed();
  };

  const shutDown = async () => {
    await trimmer.stop();
    await Promise.all([...subscriptions].map((subscription) => subscription.close()));
    commands.disconnect();
    publishing.disconnect();
  };

  /** @throws where it is not confirmed; it may be there all the same */
  const append = async (batch: Buffer) => {
    if (replicas === 0) {
      await publishing.eval(APPEND, 1, keys.events, batch);
      return;
    }
    // In one packet: on another connection than that of the write, WAIT would tell of nothing.
    const step = publishing.pipeline().eval(APPEND, 1, keys.events, batch).wait(replicas, REPLICATE_MS);
    const [written, waited] = (await step.exec()) ?? [];
    const error = written?.[0] ?? waited?.[0];
    if (error) throw error;
    const having = Number(waited?.[1] ?? 0);
    if (having < replicas) throw new Error(`${having} of ${replicas} replicas have it after ${REPLICATE_MS} ms`);
  };

  return {
    async publish(events: readonly AnyEvent[]) {
      assertOpen();
      const bodies = events.map((event) => JSON.stringify(parseEvent(event)));
      try {
        for (let from = 0; from < bodies.length; from += PUBLISH_BATCH) {
          const batch = bodies.slice(from, from + PUBLISH_BATCH).join('\n');
          await append(Buffer.from(batch));
        }
      } catch (error) {
        throw unavailable(`${events.length} events`, error);
      }
    },

    async declareGroup(options: GroupOptions) {
      assertOpen();
      await declareRedisGroup(commands, keys, parseGroup(options));
    },

    async subscribe(options: SubscribeOptions) {
      assertOpen();
      const group = parseGroup(options);
      reads = true;
      const { handler, prefetch = DEFAULT_PREFETCH } = options;
      const deps = { url, commands, keys, group, prefetch, handler, clock, logger, retry };
      const loop = options.ephemeral
        ? startRedisTail(deps)
        : startRedisConsumer(staleMs === undefined ? deps : { ...deps, staleMs });
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
      return redisDeadLetters(commands, keys, group, logger);
    },

    ready: () => !closing && commands.status === 'ready' && publishing.status === 'ready',

    close() {
      closing ??= shutDown();
      return closing;
    },
  };
}
