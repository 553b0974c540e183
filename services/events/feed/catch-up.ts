import { encodeFeedCursor } from '../query/cursor.ts';
import type { LoggedEvent } from '../store/read.ts';
import { alreadySent, projectOf, type Scope } from './coverage.ts';
import type { FeedSocket } from './messages.ts';
import type { FeedSession } from './session.ts';

const PAGE = 200;
/** A catch-up sends no more while so much is unsent. */
const PAUSE_ABOVE = 200;
const PAUSE_MS = 20;

export interface CatchUp {
  readonly socket: FeedSocket;
  readonly session: FeedSession;
  readonly scope: Scope;
  readonly after: bigint;
  /** Events at most; what lies further is given up. */
  readonly limit: number;
}

export interface CatchUpDeps {
  /** Everything up to here was given to the rooms. */
  readonly livePosition: () => bigint;
  readonly read: (range: {
    after: bigint;
    until: bigint;
    project: string | null;
    limit: number;
  }) => Promise<LoggedEvent[]>;
  readonly sleep: (ms: number) => Promise<void>;
}

/**
 * Sends what a client has missed until it stands where the rooms stand. The caller must put it into the room in the
 * same turn in which this resolves; then nothing is missing and nothing comes twice.
 * @returns false when it was too much, and the rest was given up
 */
export async function catchUp(
  { socket, session, scope, after, limit }: CatchUp,
  { livePosition, read, sleep }: CatchUpDeps,
  join: () => void,
): Promise<boolean> {
  let at = after;
  let sent = 0;
  while (socket.connected) {
    const until = livePosition();
    if (at >= until) {
      join();
      return true;
    }
    if (sent >= limit) {
      join();
      return false;
    }
    const events = await read({ after: at, until, project: projectOf(scope), limit: Math.min(PAGE, limit - sent) });
    const last = events.at(-1);
    for (const { position, event } of events) {
      if (alreadySent([...session.live.values()], { position, project: event.project })) continue;
      socket.emit('event', event, { cursor: encodeFeedCursor(position) });
    }
    sent += events.length;
    at = last && events.length === Math.min(PAGE, limit - sent + events.length) ? last.position : until;
    while (socket.connected && session.backlog > PAUSE_ABOVE) await sleep(PAUSE_MS);
  }
  return false;
}
