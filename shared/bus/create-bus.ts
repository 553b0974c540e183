import type { Clock, Logger } from '@skyrun/kit';
import { BusError } from './errors.ts';
import type { EventBus, RetryPolicy } from './event-bus.ts';
import { createMemoryBus, type MemoryBroker } from './memory-bus.ts';
import { DEFAULT_RETRY } from './retry.ts';

export type BusKind = 'redis' | 'rabbitmq' | 'memory';

export interface BusConfig {
  readonly kind: BusKind;
  /** `redis://…` or `amqp://…`; not for memory. */
  readonly url?: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Prefix of everything the bus creates on the broker; `skyrun` by default. */
  readonly namespace?: string;
  /** Overrides parts of: 8 attempts, 100 ms to 30 s, connection-like errors are transient. */
  readonly retry?: Partial<RetryPolicy>;
  /** Several memory buses with one broker meet as processes do. */
  readonly broker?: MemoryBroker;
  /** Milliseconds to wait here for a broker that is away; 5 000 by default. The bus goes on trying afterwards. */
  readonly connectWaitMs?: number;
  /** Redis only: replicas that must have an event before it counts as published; 0 by default. */
  readonly replicas?: number;
}

const POLL_MS = 20;

/**
 * Resolves when the broker is connected, or after `connectWaitMs` without: then `ready()` is false until it comes.
 * @throws BusError `bus.bad_config`
 */
export async function createBus(config: BusConfig): Promise<EventBus> {
  const { kind, url, clock, logger, namespace = 'skyrun', broker, connectWaitMs = 5_000, replicas = 0 } = config;
  const retry = { ...DEFAULT_RETRY, ...config.retry };
  if (kind === 'memory') return createMemoryBus(broker ? { clock, logger, retry, broker } : { clock, logger, retry });
  if (url === undefined) throw new BusError('bus.bad_config', `bus of kind ${kind}: expected a url`);
  const bus = (await brokerOf(kind))({ url, namespace, clock, logger, retry, replicas });
  for (let waited = 0; waited < connectWaitMs && !bus.ready(); waited += POLL_MS) await clock.sleep(POLL_MS);
  if (!bus.ready()) logger.warn({ kind }, 'the broker is away; going on, and trying again');
  return bus;
}

/** Loads the chosen broker's client only: each costs megabytes in every process. */
async function brokerOf(kind: 'redis' | 'rabbitmq') {
  if (kind === 'redis') return (await import('./redis/redis-bus.ts')).createRedisBus;
  return (await import('./rabbitmq/rabbitmq-bus.ts')).createRabbitBus;
}
