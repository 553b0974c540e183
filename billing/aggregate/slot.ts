/**
 * Which period a usage row counts for. Periods of a project are a chain: period n takes every row whose window
 * starts before its end and that came in before it was closed, minus what earlier periods took. So a row that
 * comes in after its period was closed counts for the first period still open: an adjustment ("late").
 */
export interface PeriodBounds {
  readonly ordinal: number;
  readonly startsAt: number;
  /** Null while open. */
  readonly endsAt: number | null;
  /** Null until closed. */
  readonly closedSeq: number | null;
}

/** Usage rows of one slot are measured together: same period, day and price list. */
export interface Slot {
  readonly ordinal: number;
  /** It should have been in an earlier period, which was closed by then. */
  readonly late: boolean;
  /** Unix ms of the start of the calendar month (UTC) in which the window starts. */
  readonly month: number;
  /** Id of the price list version. */
  readonly priceList: string;
  /** Unix ms of the start of the day (UTC) in which the window starts; of the month where days are summed up. */
  readonly day: number;
}

export interface Placed {
  /** Order of arrival; a row that is not stored yet is after all others. */
  readonly seq: number;
  readonly windowStart: number;
}

/** @param periods ascending by ordinal, the last one open. */
export function periodOf(row: Placed, periods: readonly PeriodBounds[]): PeriodBounds {
  for (const period of periods) {
    const inTime = period.endsAt === null || row.windowStart < period.endsAt;
    const notClosed = period.closedSeq === null || row.seq <= period.closedSeq;
    if (inTime && notClosed) return period;
  }
  throw new RangeError('the last period of a chain must be open');
}

export function slotOf(row: Placed & { readonly priceList: string }, periods: readonly PeriodBounds[]): Slot {
  const period = periodOf(row, periods);
  return {
    ordinal: period.ordinal,
    late: period.ordinal > 1 && row.windowStart < period.startsAt,
    month: monthStart(row.windowStart),
    priceList: row.priceList,
    day: dayStart(row.windowStart),
  };
}

/** Order in which slots take usage that more than one of them covers. */
export function compareSlots(a: Slot, b: Slot): number {
  return (
    a.ordinal - b.ordinal ||
    Number(b.late) - Number(a.late) ||
    a.month - b.month ||
    (a.priceList < b.priceList ? -1 : a.priceList > b.priceList ? 1 : 0) ||
    a.day - b.day
  );
}

export function slotKey(slot: Slot): string {
  return `${slot.ordinal}|${slot.late}|${slot.day}|${slot.priceList}`;
}

/** Unix ms of the start of the calendar month (UTC). */
export function monthStart(unixMs: number): number {
  const date = new Date(unixMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
}

/** Unix ms of the start of the next calendar month (UTC). */
export function nextMonthStart(unixMs: number): number {
  const date = new Date(unixMs);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

export const DAY_MS = 86_400_000;

/** Unix ms of the start of the day (UTC). */
export function dayStart(unixMs: number): number {
  return unixMs - (((unixMs % DAY_MS) + DAY_MS) % DAY_MS);
}
