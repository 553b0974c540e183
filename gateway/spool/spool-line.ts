import { type AnyEvent, parseEvent } from '@skyrun/contracts';

/**
 * What stands in the spool, one JSON object a line:
 * - `event`: to be published, complete with its id, so that publishing it again is recognised;
 * - `active`: from this Unix ms on usage is measured that is not written yet;
 * - `idle`: everything up to here is written and nothing is in flight;
 * - `closed`: the gateway ended as intended.
 */
export type SpoolLine =
  | { readonly kind: 'event'; readonly event: AnyEvent }
  | { readonly kind: 'active' | 'idle' | 'closed'; readonly at: number };

export function formatLine(line: SpoolLine): string {
  return line.kind === 'event'
    ? `${JSON.stringify({ event: line.event })}\n`
    : `${JSON.stringify({ [line.kind]: line.at })}\n`;
}

/** Null for a line that is not one of ours, such as the torn end of a killed process. */
export function parseLine(text: string): SpoolLine | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null) return null;
    if ('event' in value) return { kind: 'event', event: parseEvent(value.event) };
    for (const kind of ['active', 'idle', 'closed'] as const) {
      const at: unknown = Object.entries(value).find(([name]) => name === kind)?.[1];
      if (typeof at === 'number') return { kind, at };
    }
    return null;
  } catch {
    return null;
  }
}

/** Since when usage was being measured that a spool which ends like this does not hold; null when nothing is missing. */
export function openSince(lines: Iterable<SpoolLine | null>): number | null {
  let open: number | null = null;
  for (const line of lines) {
    if (line === null || line.kind === 'event') continue;
    open = line.kind === 'active' ? line.at : null;
  }
  return open;
}
