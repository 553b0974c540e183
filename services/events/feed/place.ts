import { decodeFeedCursor } from '../query/cursor.ts';

/** A place that a client goes on from. */
export interface Place {
  readonly after: bigint;
  /** False when events after it are no longer kept. */
  readonly complete: boolean;
}

export interface PlaceDeps {
  /** Everything up to here was given to live clients. */
  readonly livePosition: () => bigint;
  /** Position of an event that a client names; null when it is not kept. */
  readonly positionOf: (eventId: string, project: string | null) => Promise<bigint | null>;
  /** Null when the log is empty. */
  readonly firstPosition: () => Promise<bigint | null>;
  /** Resolves when all that was recorded until now was given to live clients. */
  readonly reachEnd: () => Promise<void>;
}

/** Null when it cannot be told what the client has missed. */
export async function findPlace(
  { livePosition, positionOf, firstPosition, reachEnd }: PlaceDeps,
  after: string,
  project: string | null,
): Promise<Place | null> {
  await reachEnd();
  const cursor = decodeFeedCursor(after);
  const position = cursor ?? (await positionOf(after, project));
  // A position ahead of the log is of another log, e.g. before a restore.
  if (position === null || position > livePosition()) return null;
  const first = await firstPosition();
  return {
    after: position,
    complete: cursor === null || first === null || first <= position + 1n || position === 0n,
  };
}
