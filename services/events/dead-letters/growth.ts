import { Problem } from '@skyrun/contracts';
import { type Clock, createTicker, type Logger, type Metrics } from '@skyrun/kit';
import { appendEvents, type Transaction } from '@skyrun/postgres';
import type { Groups } from '../consumers/groups.ts';
import type { EventsTables } from '../store/tables.ts';
import type { DeadLetterDesk } from './desk.ts';

const LOOK_MS = 15_000;

export interface GrowthOptions {
  readonly desk: Pick<DeadLetterDesk, 'groups'>;
  readonly groups: Groups;
  readonly transaction: <T>(work: (tx: Transaction) => Promise<T>) => Promise<T>;
  readonly metrics: Metrics | undefined;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Looks at the dead letters now and then; that there are more than before is an event, once for all replicas. */
export function watchGrowth({ desk, groups, transaction, metrics, clock, logger }: GrowthOptions) {
  const gauge = metrics?.gauge('skyrun_dead_letters', 'Dead letters of a consumer group', ['group']);
  let away = false;
  /** Nothing while the broker is away, which is said once. */
  const counted = async () => {
    try {
      const summaries = await desk.groups();
      if (away) logger.info('dead letters are counted again');
      away = false;
      return summaries;
    } catch (error) {
      if (!(error instanceof Problem && error.code === 'platform.unavailable')) throw error;
      if (!away) logger.warn({ error }, 'dead letters are not counted while the broker is away');
      away = true;
      return [];
    }
  };
  return createTicker({
    name: 'dead-letter-growth',
    clock,
    logger,
    everyMs: LOOK_MS,
    async run() {
      for (const { group, letters } of await counted()) {
        gauge?.set({ group }, letters);
        await transaction(async (tx) => {
          const before = await groups.countLetters(tx.kysely<EventsTables>(), group, letters);
          if (before === null || letters <= before) return;
          logger.warn({ group, letters, before }, 'dead letters have grown');
          const data = { group, letters, before };
          await appendEvents(
            tx,
            'events',
            [{ type: 'skyrun.letters.grown.v1', subject: `groups/${group}`, data }],
            clock,
          );
        });
      }
    },
  });
}
