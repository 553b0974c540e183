import type { Logger } from '@skyrun/kit';
import type { Redis } from 'ioredis';
import { eventOf } from '../dead-letter.ts';
import type { DeadLetter, DeadLetters } from '../event-bus.ts';
import type { Keys } from './keys.ts';
import { field, parseEntries, type StreamEntry } from './replies.ts';

const BATCH = 500;

export function redisDeadLetters(redis: Redis, keys: Keys, group: string, logger: Logger): DeadLetters {
  const dead = keys.dead(group);

  const replayBatch = async (entries: readonly StreamEntry[]): Promise<number> => {
    if (entries.length === 0) return 0;
    const step = redis.multi();
    for (const entry of entries) step.xadd(keys.replay(group), '*', 'e', field(entry, 'e')).xdel(dead, entry.id);
    await step.exec();
    return entries.length;
  };

  return {
    async list(limit = 100, cursor) {
      const from = cursor === undefined ? '-' : `(${cursor}`;
      const entries = parseEntries(await redis.xrange(dead, from, '+', 'COUNT', limit + 1));
      const items = entries.slice(0, limit).map(toLetter);
      return { items, next: entries.length > limit ? (items.at(-1)?.id ?? null) : null };
    },

    async replay(ids) {
      let replayed = 0;
      if (ids === 'all') {
        // Only what is there now: a letter that fails again must not be replayed again.
        const last = parseEntries(await redis.xrevrange(dead, '+', '-', 'COUNT', 1))[0]?.id;
        while (last !== undefined) {
          const entries = parseEntries(await redis.xrange(dead, '-', last, 'COUNT', BATCH));
          if (entries.length === 0) break;
          replayed += await replayBatch(entries);
        }
        return replayed;
      }
      for (const id of ids) replayed += await replayBatch(parseEntries(await redis.xrange(dead, id, id)));
      return replayed;
    },

    async discard(ids, reason) {
      let discarded = 0;
      for (const id of ids) {
        discarded += await redis.xdel(dead, id);
        logger.info({ group, letter: id, reason }, 'dead letter discarded');
      }
      return discarded;
    },
  };
}

function toLetter(entry: StreamEntry): DeadLetter {
  const body = field(entry, 'e');
  return {
    id: entry.id,
    body,
    event: eventOf(body),
    error: field(entry, 'error'),
    attempts: Number(field(entry, 'attempts')),
    deadAt: field(entry, 'deadAt'),
  };
}
