import type { Redis } from 'ioredis';
import { groupConflict } from '../errors.ts';
import type { Group } from '../group.ts';
import type { Keys } from './keys.ts';

/** @throws BusError `bus.group_conflict` */
export async function declareRedisGroup(redis: Redis, keys: Keys, { name, ordered }: Group): Promise<void> {
  const mode = ordered ? 'ordered' : 'shared';
  await redis.hsetnx(keys.groups, name, mode);
  if ((await redis.hget(keys.groups, name)) !== mode) throw groupConflict(name);
  await createGroup(redis, keys.events, name, '$');
  await createGroup(redis, keys.replay(name), name, '0');
}

async function createGroup(redis: Redis, stream: string, name: string, from: '$' | '0'): Promise<void> {
  await redis.xgroup('CREATE', stream, name, from, 'MKSTREAM').catch((error: unknown) => {
    if (!(error instanceof Error && error.message.startsWith('BUSYGROUP'))) throw error;
  });
}
