import type { Route } from '@skyrun/contracts';
import { z } from 'zod';
import type { FeedPosition } from './feed-state.ts';
import { type InvalidRoute, readRoute } from './read-route.ts';

/** One line of the journal: a route that is, a host that has none any more, or how far the lines so far bring one. */
const journalLine = z.union([
  z.strictObject({ up: z.looseObject({ host: z.string() }) }),
  z.strictObject({ down: z.string() }),
  z.strictObject({ at: z.tuple([z.string(), z.int()]) }),
]);
export type JournalLine = z.infer<typeof journalLine>;

export const upLine = (up: Route): string => `${JSON.stringify({ up })}\n`;
export const downLine = (down: string): string => `${JSON.stringify({ down })}\n`;
export const atLine = ({ epoch, version }: FeedPosition): string => `${JSON.stringify({ at: [epoch, version] })}\n`;

export interface ReadJournal {
  /** Of the last line that said how far; null: none did. */
  readonly position: FeedPosition | null;
  readonly routes: ReadonlyMap<string, Route>;
  /** Written by a gateway of another version, and nothing that this one can take. */
  readonly invalid: readonly InvalidRoute[];
  /** Lines that nothing is known to hold with: of a group that was not ended, or from the first damage on. */
  readonly dropped: number;
}

/**
 * What a journal says. Lines hold only together with the `at` that ends them, so that wherever a crash has cut it, it says
 * what was true at some time before.
 */
export class JournalReader {
  #routes = new Map<string, Route>();
  #invalid = new Map<string, InvalidRoute>();
  #position: FeedPosition | null = null;
  #group: Exclude<JournalLine, { at: unknown }>[] = [];
  #damaged = 0;

  take(text: string): void {
    const line = this.#damaged > 0 ? null : parse(text);
    if (line === null) {
      this.#damaged += 1;
      return;
    }
    if (!('at' in line)) {
      this.#group.push(line);
      return;
    }
    for (const each of this.#group) {
      if ('up' in each) this.#up(each.up.host, readRoute(each.up));
      else this.#up(each.down, null);
    }
    this.#group = [];
    const [epoch, version] = line.at;
    this.#position = { epoch, version };
  }

  end(): ReadJournal {
    return {
      position: this.#position,
      routes: this.#routes,
      invalid: [...this.#invalid.values()],
      dropped: this.#group.length + this.#damaged,
    };
  }

  #up(host: string, read: Route | InvalidRoute | null): void {
    this.#routes.delete(host);
    this.#invalid.delete(host);
    if (read === null) return;
    if ('sent' in read) this.#invalid.set(host, read);
    else this.#routes.set(host, read);
  }
}

function parse(text: string): JournalLine | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const { success, data } = journalLine.safeParse(value);
  return success ? data : null;
}
