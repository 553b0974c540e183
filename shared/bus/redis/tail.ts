import { backoff, type Clock, type Logger } from '@skyrun/kit/base';
import type { Redis } from 'ioredis';
import { Dispatcher } from '../dispatcher.ts';
import type { EventHandler, RetryPolicy } from '../event-bus.ts';
import type { Group } from '../group.ts';
import { SessionLoop } from '../session-loop.ts';
import { readConnection } from './connection.ts';
import type { Keys } from './keys.ts';
import { field, parseEntries, parseRead } from './replies.ts';

const BLOCK_MS = 500;

export interface RedisTailOptions {
  readonly url: string;
  readonly commands: Redis;
  readonly keys: Keys;
  readonly group: Group;
  readonly prefetch: number;
  readonly handler: EventHandler;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retry: RetryPolicy;
}

/** An ephemeral subscription: the end of the stream from now on; a lost connection is a gap. */
export function startRedisTail(options: RedisTailOptions): SessionLoop {
  const { url, commands, keys, group, prefetch, handler, clock, logger, retry } = options;
  return new SessionLoop({
    name: group.name,
    clock,
    logger,
    delay: backoff({ baseMs: 50, maxMs: 2_000 }),
    async run(session) {
      let after = parseEntries(await commands.xrevrange(keys.events, '+', '-', 'COUNT', 1))[0]?.id ?? '0-0';
      const reader = await readConnection(url, logger);
      session.onClosing(() => reader.disconnect());
      session.established();
      const { name, types, sideBySide } = group;
      const dispatcher = new Dispatcher({
        name,
        types,
        prefetch,
        sideBySide,
        handler,
        clock,
        logger,
        retry,
        ephemeral: true,
      });
      session.consuming(dispatcher);
      const settled = () => Promise.resolve();
      try {
        while (!session.ended) {
          await dispatcher.waitForRoom();
          if (session.ended) return;
          const count = Math.max(1, dispatcher.room);
          const entries = parseRead(
            await reader.xread('COUNT', count, 'BLOCK', BLOCK_MS, 'STREAMS', keys.events, after),
          );
          for (const entry of entries) {
            dispatcher.accept({ body: field(entry, 'e'), done: settled, bury: settled });
            after = entry.id;
          }
        }
      } finally {
        reader.disconnect();
        await session.wind(dispatcher);
      }
    },
  });
}
