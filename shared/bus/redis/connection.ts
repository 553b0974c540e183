import { backoff, type Logger } from '@skyrun/kit/base';
import { Redis } from 'ioredis';

/** Milliseconds without an answer after which a command counts as lost. */
const COMMAND_TIMEOUT_MS = 10_000;
/** The same for a read, which waits for half a second at most: what a dead connection was given must not wait for long. */
const READ_TIMEOUT_MS = 3_000;

/**
 * The connection for everything that does not block. It reconnects by itself; while it is down, commands fail at once, and
 * one whose answer was lost is not sent again: the caller knows whether sending twice is right.
 */
export function commandConnection(url: string, logger: Logger): Redis {
  const delay = backoff({ baseMs: 50, maxMs: 2_000 });
  const redis = new Redis(url, {
    protocol: 2,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    enableAutoPipelining: true,
    // Fails what is unanswered at once when the connection closes; `null` would leave it hanging for the whole timeout.
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_TIMEOUT_MS,
    // A peer that vanished without a word would keep the connection open for a quarter of an hour.
    socketTimeout: COMMAND_TIMEOUT_MS,
    retryStrategy: delay,
    // A server that was demoted takes no writes any more; whoever is in its place is behind the same address.
    reconnectOnError: (error) => error.message.startsWith('READONLY'),
    connectionName: 'skyrun-bus',
  });
  redis.on('error', (error: Error) => logger.debug({ error }, 'redis connection'));
  redis.on('close', () => logger.warn('redis connection closed'));
  return redis;
}

/** A connection for blocking reads; it ends with its first error, and so does the reader's session. */
export async function readConnection(url: string, logger: Logger): Promise<Redis> {
  const redis = new Redis(url, {
    protocol: 2,
    lazyConnect: true,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: null,
    commandTimeout: READ_TIMEOUT_MS,
    retryStrategy: null,
    connectionName: 'skyrun-bus-reader',
  });
  redis.on('error', (error: Error) => logger.debug({ error }, 'redis reader connection'));
  await redis.connect();
  return redis;
}
