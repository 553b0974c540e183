import { UsageError } from './command.ts';

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** A moment as people write it: `15m` ago, or RFC 3339. @throws UsageError */
export function readMoment(option: string, text: string, now: number): string {
  const span = /^(\d+)([smhd])$/.exec(text);
  const ms = span ? now - Number(span[1]) * (UNITS[span[2] ?? ''] ?? 0) : Date.parse(text);
  if (!Number.isFinite(ms)) {
    throw new UsageError(
      `--${option}: expected a span such as 90s, 15m, 2h or 7d, or a time such as 2026-03-01T12:00:00Z`,
    );
  }
  return new Date(ms).toISOString();
}
