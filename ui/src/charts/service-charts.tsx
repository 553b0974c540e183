import type { MetricPoint } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useApi } from '../api/context.ts';
import { metricsQuery } from '../api/queries.ts';
import { classNames } from '../components/class-names.ts';
import { useNow } from '../components/now.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Skeleton } from '../components/skeleton.tsx';
import { figure, millisText } from '../format/quantity.ts';
import { columnsOf, latestOf, type Pick } from './columns.ts';
import { type SeriesStyle, TimeChart } from './time-chart.tsx';

const WINDOWS = [
  { label: '5 min', ms: 300_000 },
  { label: '15 min', ms: 900_000 },
  { label: '1 h', ms: 3_600_000 },
] as const;

interface ChartDefinition {
  readonly title: string;
  readonly format: (value: number | null) => string;
  readonly series: readonly (SeriesStyle & { pick: Pick })[];
}

const errorsPerSecond = ({ statusClasses, windowMs }: MetricPoint) =>
  (statusClasses['5xx'] * 1000) / Math.max(windowMs, 1);

const CHARTS: readonly ChartDefinition[] = [
  {
    title: 'Requests per second',
    format: figure,
    series: [
      { label: 'all', color: '--series-1', filled: true, pick: (point) => point.requestsPerSecond },
      { label: '5xx', color: '--bad', pick: errorsPerSecond },
    ],
  },
  {
    title: 'Latency',
    format: millisText,
    series: [
      { label: 'p50', color: '--series-2', pick: (point) => point.p50Ms },
      { label: 'p95', color: '--series-1', pick: (point) => point.p95Ms },
      { label: 'p99', color: '--series-3', pick: (point) => point.p99Ms },
    ],
  },
  {
    title: 'Instances',
    format: figure,
    series: [
      { label: 'ready', color: '--ok', filled: true, stepped: true, pick: (point) => point.instances.ready },
      { label: 'starting', color: '--series-3', stepped: true, pick: (point) => point.instances.starting },
    ],
  },
  {
    title: 'Requests in flight',
    format: figure,
    series: [
      { label: 'in flight', color: '--series-1', filled: true, pick: (point) => point.concurrency },
      { label: 'waiting', color: '--series-3', pick: (point) => point.queued },
    ],
  },
];

export function ServiceCharts({ project, service }: { project: string; service: string }) {
  const { data, error, refetch } = useQuery(metricsQuery(useApi(), project, service));
  const [windowMs, setWindowMs] = useState<number>(WINDOWS[0].ms);
  const now = useNow();
  const fromMs = now - windowMs;
  const points = data?.points;
  const stepMs = data?.stepMs ?? 1000;
  // Which points are in view changes with every tick; a coarser start keeps the columns for ten seconds.
  const columnsFrom = Math.floor(fromMs / 10_000) * 10_000;
  const charts = useMemo(
    () =>
      points === undefined
        ? undefined
        : CHARTS.map(({ series }) =>
            columnsOf(
              points,
              columnsFrom,
              stepMs,
              series.map(({ pick }) => pick),
            ),
          ),
    [points, columnsFrom, stepMs],
  );

  return (
    <section aria-label="Traffic" className="flex flex-col gap-3">
      <div className="flex items-center justify-between gap-4">
        <h2 className="text-sm font-semibold">Traffic</h2>
        <fieldset aria-label="Time shown" className="flex rounded-lg border border-line bg-surface p-0.5">
          {WINDOWS.map(({ label, ms }) => (
            <button
              key={ms}
              type="button"
              aria-pressed={ms === windowMs}
              onClick={() => setWindowMs(ms)}
              className={classNames(
                'h-7 rounded-md px-2.5 text-xs font-medium transition-colors',
                ms === windowMs ? 'bg-hover text-ink' : 'text-ink-3 hover:text-ink',
              )}
            >
              {label}
            </button>
          ))}
        </fieldset>
      </div>
      {error !== null && data === undefined && <ProblemNotice error={error} onRetry={refetch} />}
      <div className="grid gap-4 md:grid-cols-2">
        {CHARTS.map(({ title, series, format }, index) => {
          const columns = charts?.[index];
          if (columns === undefined || points === undefined)
            return <Skeleton key={title} className="h-[226px] rounded-xl" />;
          return (
            <TimeChart
              key={title}
              title={title}
              series={series}
              format={format}
              columns={columns}
              latest={series.map(({ pick }) => latestOf(points, now, stepMs, pick))}
              fromMs={fromMs}
              untilMs={now}
            />
          );
        })}
      </div>
    </section>
  );
}
