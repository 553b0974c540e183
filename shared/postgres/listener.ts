import { backoff, type Clock, type Logger } from '@skyrun/kit';
import pg from 'pg';

export type Unlisten = () => Promise<void>;

export interface Listener {
  listen(channel: string, fn: (payload: string) => void): Promise<Unlisten>;
  close(): Promise<void>;
}

export interface ListenerOptions {
  readonly connection: pg.ClientConfig;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * One connection for all channels; made at the first `listen`.
 *
 *   idle ──listen──► connected ──lost──► waiting (backoff) ──► connected, everyone told ──close──► closed
 */
export function createListener({ connection, clock, logger }: ListenerOptions): Listener {
  const channels = new Map<string, Set<(payload: string) => void>>();
  const delay = backoff({ baseMs: 50, maxMs: 2_000 });
  let client: pg.Client | undefined;
  let connecting: Promise<void> | undefined;
  let cancelRetry: (() => void) | undefined;
  let failures = 0;
  let closed = false;

  const connect = async () => {
    const fresh = new pg.Client(connection);
    fresh.on('notification', ({ channel, payload }) => {
      for (const fn of channels.get(channel) ?? []) fn(payload ?? '');
    });
    fresh.on('error', (error) => logger.debug({ error }, 'listening connection'));
    fresh.on('end', () => {
      if (client !== fresh) return;
      client = undefined;
      retry();
    });
    try {
      await fresh.connect();
      for (const channel of channels.keys()) await fresh.query(`listen ${fresh.escapeIdentifier(channel)}`);
    } catch (error) {
      logger.warn({ error }, 'cannot listen for notifications; trying again');
      await fresh.end().catch((endError: unknown) => logger.debug({ error: endError }, 'listening connection'));
      retry();
      return;
    }
    if (closed) {
      await fresh.end();
      return;
    }
    client = fresh;
    failures = 0;
  };

  const ensure = () => {
    connecting ??= connect().finally(() => {
      connecting = undefined;
    });
    return connecting;
  };

  const retry = () => {
    if (closed || cancelRetry) return;
    failures += 1;
    cancelRetry = clock.setTimeout(delay(failures), () => {
      cancelRetry = undefined;
      void ensure().then(() => {
        if (client) for (const listeners of channels.values()) for (const fn of listeners) fn('');
      });
    });
  };

  return {
    async listen(channel, fn) {
      const known = channels.get(channel);
      if (known) known.add(fn);
      else channels.set(channel, new Set([fn]));
      if (!client) await ensure();
      if (!known && client) await client.query(`listen ${client.escapeIdentifier(channel)}`);
      return async () => {
        const listeners = channels.get(channel);
        if (!listeners?.delete(fn) || listeners.size > 0) return;
        channels.delete(channel);
        if (client) await client.query(`unlisten ${client.escapeIdentifier(channel)}`);
      };
    },
    async close() {
      closed = true;
      cancelRetry?.();
      await connecting;
      const last = client;
      client = undefined;
      await last?.end();
    },
  };
}
