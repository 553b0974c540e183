import { type AnyEvent, InvalidEventError, parseEvent } from '@skyrun/contracts';

/** The event of a letter, or null when what lay on the broker is none. */
export function eventOf(body: string): AnyEvent | null {
  try {
    return parseEvent(JSON.parse(body));
  } catch (error) {
    if (error instanceof InvalidEventError || error instanceof SyntaxError) return null;
    throw error;
  }
}
