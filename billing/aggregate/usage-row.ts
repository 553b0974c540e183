import type { MeasurableRow } from './measure.ts';

/** A usage row as it is kept. Times in Unix ms. */
export interface UsageRow extends Omit<MeasurableRow, 'slot'> {
  readonly project: string;
  readonly key: string;
  readonly windowStart: number;
  readonly bytesIn: number;
  readonly priceList: string;
}

export interface StoredUsageRow extends UsageRow {
  readonly seq: number;
}

export interface NewUsageRow extends UsageRow {
  readonly fingerprint: string;
}

/** No window is longer; the search for overlapping rows relies on it. */
export const LONGEST_WINDOW_MS = 3_600_000;

export function usageKey(row: { readonly project: string; readonly key: string }): string {
  return `${row.project} ${row.key}`;
}
