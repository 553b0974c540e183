import type { MetricPoint } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useApi } from '../api/context.ts';
import { metricsQuery } from '../api/queries.ts';
import { useNow } from '../components/now.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Segments } from '../components/segments.tsx';
import { Skeleton } from '../components/skeleton.tsx';
import { figure, millisText } from '../format/quantity.ts';
import { columnsOf, latestOf, type Pick } from './columns.ts';
import { type SeriesStyle, TimeChart } from './time-chart.tsx';

const WINDOWS = [
  { label: '5 min', value: '5' },
  { label: '15 min', value: '15' },
  { label: '1 h', value: '60' },
] as const;

type Shown = (typeof WINDOWS)[number]['value'];

interface ChartDefinition {
  readonly title: string;
  readonly format: (value: number | null) => string;
  readonly counted?: boolean;
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
    counted: true,
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
  const [shown, setShown] = useState<Shown>(WINDOWS[0].value);
  const now = useNow();
  const fromMs = now - Number(shown) * 60_000;
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
        <Segments label="Time shown" options={WINDOWS} value={shown} onChange={setShown} />
      </div>
      {error !== null && data === undefined && <ProblemNotice error={error} onRetry={refetch} />}
      <div className="grid gap-4 md:grid-cols-2">
        {CHARTS.map(({ title, series, format, counted = false }, index) => {
          const columns = charts?.[index];
          if (columns === undefined || points === undefined)
            return <Skeleton key={title} className="h-[226px] rounded-xl" />;
          return (
            <TimeChart
              key={title}
              title={title}
              series={series}
              format={format}
              counted={counted}
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
