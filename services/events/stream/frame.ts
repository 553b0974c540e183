import type { EventEnvelope, Problem } from '@skyrun/contracts';
import { encodeFeedCursor } from '../query/cursor.ts';

/** How long a client that lost its connection waits, in milliseconds. */
const RETRY_MS = 1_000;

/** First of a stream. The id comes without data: no event, but the place that a client comes back with. */
export function openingFrame(position: bigint): string {
  return `retry: ${RETRY_MS}\n${placeFrame(position)}`;
}

export function eventFrame(position: bigint, event: EventEnvelope): string {
  return `id: ${encodeFeedCursor(position)}\ndata: ${JSON.stringify(event)}\n\n`;
}

/** Moves the client's place on although nothing of what it wants has come. */
export function placeFrame(position: bigint): string {
  return `: here\nid: ${encodeFeedCursor(position)}\n\n`;
}

/** JSON has no line break, so one `data` line holds it. */
export function problemFrame(name: 'gap' | 'too-slow' | 'closing', problem: Problem): string {
  return `event: ${name}\ndata: ${JSON.stringify(problem.toDetails())}\n\n`;
}
