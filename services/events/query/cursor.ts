import { Problem } from '@skyrun/contracts';
import { z } from 'zod';

/** A place in the history, newest first: the last event that was shown. */
export interface HistoryCursor {
  /** Unix milliseconds. */
  readonly time: number;
  readonly position: string;
}

const POSITION = /^\d{1,19}$/;
const shape = z.tuple([z.int().min(0), z.string().regex(POSITION)]);

export function encodeCursor({ time, position }: HistoryCursor): string {
  return Buffer.from(JSON.stringify([time, position])).toString('base64url');
}

/** @throws Problem `request.invalid` */
export function decodeCursor(cursor: string): HistoryCursor {
  const parsed = shape.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString('utf8')));
  if (parsed.success) return { time: parsed.data[0], position: parsed.data[1] };
  throw new Problem('request.invalid', {
    detail: '#query/cursor: take it from nextCursor of the page before',
    errors: [{ field: '#query/cursor', message: 'expected a nextCursor of the page before' }],
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // What is no JSON is no cursor of ours; the schema says so.
    return undefined;
  }
}

const FEED_PREFIX = 'at_';

/** A place in the live feed. Looks unlike an event id, because a client may resume from either. */
export function encodeFeedCursor(position: bigint): string {
  return `${FEED_PREFIX}${position}`;
}

/** Null when it is no feed cursor. */
export function decodeFeedCursor(cursor: string): bigint | null {
  const position = cursor.startsWith(FEED_PREFIX) ? cursor.slice(FEED_PREFIX.length) : '';
  return POSITION.test(position) ? BigInt(position) : null;
}
