import { BusError, type DeadLetterPage, type EventBus } from '@skyrun/bus';
import { PLATFORM_GROUPS, Problem } from '@skyrun/contracts';

/** Letters that are counted of one group; there may be more. */
const COUNT_LIMIT = 1_000;

interface GroupSummary {
  readonly group: string;
  readonly types: string[];
  readonly letters: number;
  readonly more: boolean;
}

/** What administrators do with dead letters. Any group can be named; only the platform's own are known by name. */
export interface DeadLetterDesk {
  groups(): Promise<GroupSummary[]>;
  list(group: string, page: { readonly limit: number; readonly cursor?: string | undefined }): Promise<DeadLetterPage>;
  /** Returns how many. */
  replay(group: string, ids: readonly string[] | 'all'): Promise<number>;
  /** Returns how many. */
  discard(group: string, ids: readonly string[], reason: string): Promise<number>;
}

/** All of it throws Problem `platform.unavailable` while the broker is away, `request.invalid` for an id that is none. */
export function createDeadLetterDesk(bus: EventBus): DeadLetterDesk {
  return {
    groups: () =>
      asked(async () => {
        const summaries: GroupSummary[] = [];
        for (const { group, types } of Object.values(PLATFORM_GROUPS)) {
          const { items, next } = await bus.deadLetters(group).list(COUNT_LIMIT);
          summaries.push({ group, types: [...types], letters: items.length, more: next !== null });
        }
        return summaries;
      }),
    list: (group, { limit, cursor }) => asked(() => bus.deadLetters(group).list(limit, cursor)),
    replay: (group, ids) => asked(() => bus.deadLetters(group).replay(ids)),
    discard: (group, ids, reason) => asked(() => bus.deadLetters(group).discard(ids, reason)),
  };
}

async function asked<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BusError) {
      throw new Problem('platform.unavailable', { detail: 'the broker is away', retryAfterSeconds: 1, cause: error });
    }
    // Each broker has ids of its own kind, which only it can tell.
    if (error instanceof Error && error.message.includes('Invalid stream ID')) {
      throw new Problem('request.invalid', { detail: 'there is no such id on this broker', cause: error });
    }
    throw error;
  }
}
