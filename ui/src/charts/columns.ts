import type { MetricPoint } from '@skyrun/contracts';

/** Seconds, then one column per series; null breaks the line. As uPlot wants it. */
export type Columns = [number[], ...(number | null)[][]];

export type Pick = (point: MetricPoint) => number | null;

/** Nothing was observed for this many steps: the line breaks rather than pretend. */
const GAP_STEPS = 5;

/** The points since `fromMs`, as columns, with a break wherever observation paused. */
export function columnsOf(
  points: readonly MetricPoint[],
  fromMs: number,
  stepMs: number,
  picks: readonly Pick[],
): Columns {
  const times: number[] = [];
  const columns: (number | null)[][] = picks.map(() => []);
  let before: number | null = null;
  for (const point of points) {
    const at = Date.parse(point.at);
    if (at < fromMs) continue;
    if (before !== null && at - before > GAP_STEPS * stepMs) {
      times.push((before + stepMs) / 1000);
      for (const column of columns) column.push(null);
    }
    times.push(at / 1000);
    picks.forEach((pick, index) => {
      columns[index]?.push(pick(point));
    });
    before = at;
  }
  return [times, ...columns];
}

/** The newest value of a series that is not older than a few steps; null when nothing is known of now. */
export function latestOf(points: readonly MetricPoint[], now: number, stepMs: number, pick: Pick): number | null {
  const last = points.at(-1);
  if (last === undefined || now - Date.parse(last.at) > GAP_STEPS * stepMs + 2000) return null;
  return pick(last);
}
