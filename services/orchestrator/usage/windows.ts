/** Usage is written in windows of the wall clock, so that all producers cut alike. */
export const USAGE_WINDOW_MS = 10_000;

export interface Span {
  /** Unix milliseconds, half-open. */
  readonly start: number;
  readonly end: number;
}

/** The span cut at the boundaries of the wall clock: contiguous, ascending, none empty. */
export function usageWindows(from: number, until: number): Span[] {
  const spans: Span[] = [];
  for (let start = from; start < until; ) {
    const boundary = (Math.floor(start / USAGE_WINDOW_MS) + 1) * USAGE_WINDOW_MS;
    const end = Math.min(boundary, until);
    spans.push({ start, end });
    start = end;
  }
  return spans;
}

/** A span cut where one of the moments lies inside it. */
export function cutAt(span: Span, moments: readonly number[]): Span[] {
  const inside = moments.filter((at) => at > span.start && at < span.end);
  const edges = [span.start, ...[...new Set(inside)].sort((a, b) => a - b), span.end];
  return edges.slice(1).map((end, index) => ({ start: edges[index] ?? span.start, end }));
}

export function lastBoundary(now: number): number {
  return Math.floor(now / USAGE_WINDOW_MS) * USAGE_WINDOW_MS;
}
