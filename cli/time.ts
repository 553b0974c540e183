import { isoTime } from '@skyrun/kit';
import { UsageError } from './command.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment as people write it: `15m` ago, or RFC 3339. @throws UsageError */
export function readMoment(option: string, text: string, now: number): string {
  const span = /^(\d+)([smhd])$/.exec(text);
  // The language's own parser takes much for a date that nobody means as one.
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  const ms = span ? now - Number(span[1]) * (UNITS[span[2] ?? ''] ?? 0) : time;
  if (!Number.isFinite(ms)) {
    throw new UsageError(
      `--${option}: expected a span such as 90s, 15m, 2h or 7d, or a time such as 2026-03-01T12:00:00Z`,
    );
  }
  return isoTime(ms);
}
