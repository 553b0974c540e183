import { BusError, type DeadLetter, type EventBus } from '@skyrun/bus';
import { Problem } from '@skyrun/contracts';
import type { Groups } from '../consumers/groups.ts';

/** Letters that are counted of one group; there may be more. */
const COUNT_LIMIT = 1_000;

interface GroupSummary {
  readonly group: string;
  readonly types: string[];
  readonly project: string | null;
  readonly seenAt: string | null;
  readonly letters: number;
  readonly more: boolean;
}

export interface ShownLetter extends DeadLetter {
  readonly stack: string[];
}

/** What administrators do with dead letters. Any group can be named; those that were ever heard of are listed. */
export interface DeadLetterDesk {
  groups(): Promise<GroupSummary[]>;
  list(
    group: string,
    page: { readonly limit: number; readonly cursor?: string | undefined },
  ): Promise<{ items: ShownLetter[]; next: string | null }>;
  /** Returns how many. */
  replay(group: string, ids: readonly string[] | 'all'): Promise<number>;
  /** Returns how many. */
  discard(group: string, ids: readonly string[], reason: string): Promise<number>;
}

/** All of it throws Problem `platform.unavailable` while the broker is away, `request.invalid` for an id that is none. */
export function createDeadLetterDesk(bus: EventBus, known: Pick<Groups, 'list'>): DeadLetterDesk {
  return {
    groups: () =>
      asked(async () => {
        const summaries: GroupSummary[] = [];
        for (const { name, project, types, seenAt } of await known.list()) {
          const { items, next } = await bus.deadLetters(name).list(COUNT_LIMIT);
          const count = { letters: items.length, more: next !== null };
          summaries.push({ group: name, project, types: [...types], seenAt, ...count });
        }
        return summaries;
      }),
    list: (group, { limit, cursor }) =>
      asked(async () => {
        const { items, next } = await bus.deadLetters(group).list(limit, cursor);
        return { items: items.map(withStack), next };
      }),
    replay: (group, ids) => asked(() => bus.deadLetters(group).replay(ids)),
    discard: (group, ids, reason) => asked(() => bus.deadLetters(group).discard(ids, reason)),
  };
}

/** The bus keeps the places of the stack as lines after the message. */
function withStack(letter: DeadLetter): ShownLetter {
  const lines = letter.error.split('\n');
  const first = lines.findIndex((line) => /^\s+at /.test(line));
  if (first < 0) return { ...letter, stack: [] };
  return { ...letter, error: lines.slice(0, first).join('\n'), stack: lines.slice(first).map((line) => line.trim()) };
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
