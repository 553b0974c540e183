import type { Redis } from 'ioredis';
import type { Keys } from './keys.ts';
import { parseInfo } from './replies.ts';

/** Entries kept for live readers while no group exists at all. */
const KEEP_WITHOUT_GROUPS = 10_000;

export interface GroupPosition {
  readonly lastDelivered: string;
  /** Lowest id delivered and not yet acknowledged; null if none. */
  readonly lowestPending: string | null;
}

/** The id below which every group has acknowledged everything; null without groups. */
export function trimFloor(groups: readonly GroupPosition[]): string | null {
  let floor: string | null = null;
  for (const { lastDelivered, lowestPending } of groups) {
    const position = lowestPending ?? lastDelivered;
    if (floor === null || compareIds(position, floor) < 0) floor = position;
  }
  return floor;
}

/** Order of stream ids `<ms>-<n>`. */
export function compareIds(a: string, b: string): number {
  const [aTime = '0', aCount = '0'] = a.split('-');
  const [bTime = '0', bCount = '0'] = b.split('-');
  const difference = BigInt(aTime) - BigInt(bTime) || BigInt(aCount) - BigInt(bCount);
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/**
 * Drops what every group has acknowledged. Safe beside readers: positions only grow between looking and trimming, and a new
 * group starts at the end. A group that never comes back holds everything since; `maxmemory` then refuses publishing,
 * and the outbox keeps the rest.
 */
export async function trim(redis: Redis, keys: Keys): Promise<void> {
  if ((await redis.exists(keys.events)) === 0) return;
  const positions: GroupPosition[] = [];
  for (const info of parseInfo(await redis.xinfo('GROUPS', keys.events))) {
    const pending = Number(info.get('pending') ?? 0);
    const [, lowest] = pending > 0 ? await redis.xpending(keys.events, info.get('name') ?? '') : [0, null];
    positions.push({
      lastDelivered: info.get('last-delivered-id') ?? '0-0',
      lowestPending: typeof lowest === 'string' ? lowest : null,
    });
  }
  const floor = trimFloor(positions);
  if (floor === null) await redis.xtrim(keys.events, 'MAXLEN', '~', KEEP_WITHOUT_GROUPS);
  else await redis.xtrim(keys.events, 'MINID', '~', floor);
}
