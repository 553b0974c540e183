const DAY_MS = 86_400_000;

interface DayCost {
  /** e.g. `2026-01-31`. */
  readonly key: string;
  readonly amount: string;
  readonly idleAmount: string;
}

export interface DayColumn {
  readonly day: string;
  readonly amount: string;
  readonly idleAmount: string;
}

/** A column for each day of `[from, until)`, also for those without cost, so that time is drawn to scale. */
export function dayColumns(days: readonly DayCost[], from: string, until: string): DayColumn[] {
  const byDay = new Map(days.map((day) => [day.key, day]));
  const count = Math.max(0, Math.round((Date.parse(until) - Date.parse(from)) / DAY_MS));
  return Array.from({ length: count }, (_, index) => {
    const day = new Date(Date.parse(from) + index * DAY_MS).toISOString().slice(0, 10);
    const cost = byDay.get(day);
    return { day, amount: cost?.amount ?? '0', idleAmount: cost?.idleAmount ?? '0' };
  });
}
