import type { Logger } from '@skyrun/kit';
import { Redis } from 'ioredis';
import { OUTAGE_MS, type SharedBuckets } from './buckets.ts';

/**
 * Per bucket: the theoretical arrival time by Redis' own clock, moved on by what was let through, from when that began if it
 * was past by then. Answers how far it is ahead. An idle bucket expires by itself, but not while a gateway may still tell of the
 * time in which it was used.
 */
const ADD = `
local time = redis.call('TIME')
local now = time[1] * 1000 + time[2] / 1000
local ahead = {}
for index, key in ipairs(KEYS) do
  local cost = tonumber(ARGV[2 * index - 1])
  local began = now - tonumber(ARGV[2 * index])
  local tat = math.max(tonumber(redis.call('GET', key) or '0'), began) + cost
  if cost > 0 then redis.call('SET', key, string.format('%.3f', tat), 'PX', math.max(0, math.ceil(tat - now)) + ${OUTAGE_MS + 1000}) end
  ahead[index] = string.format('%.3f', math.max(0, tat - now))
end
return ahead
`;
const BATCH = 500;
const COMMAND_MS = 1000;

export interface RedisBuckets extends SharedBuckets {
  close(): void;
}

/** Buckets shared through Redis. While it is away every exchange fails at once, and nothing waits for it. */
export function createRedisBuckets(url: string, logger: Logger): RedisBuckets {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    commandTimeout: COMMAND_MS,
    connectTimeout: COMMAND_MS,
    retryStrategy: (attempt) => Math.min(5000, 100 * 2 ** Math.min(attempt, 6)),
  });
  let away = false;
  redis.on('error', (error: Error) => {
    if (!away) logger.warn({ error: error.message }, 'rate limits are not shared: Redis does not answer');
    away = true;
  });
  redis.on('ready', () => {
    if (away) logger.info('rate limits are shared again');
    away = false;
  });
  redis.connect().catch(() => undefined);
  return {
    async add(entries) {
      const ahead: number[] = [];
      for (let start = 0; start < entries.length; start += BATCH) {
        const batch = entries.slice(start, start + BATCH);
        const keys = batch.map(({ key }) => `skyrun:limit:${key}`);
        const used = batch.flatMap(({ costMs, overMs }) => [String(costMs), String(overMs)]);
        const answer = await redis.eval(ADD, keys.length, ...keys, ...used);
        if (!Array.isArray(answer)) throw new Error('Redis answered something else than a list');
        for (const value of answer) ahead.push(Number(value));
      }
      return ahead;
    },
    close() {
      redis.disconnect();
    },
  };
}
