import { useEffect, useRef, useState } from 'react';
import uPlot from 'uplot';
import { classNames } from '../components/class-names.ts';
import { clockText } from '../format/time.ts';
import { useShownTheme } from '../theme/theme.ts';
import type { Columns } from './columns.ts';

export interface SeriesStyle {
  readonly label: string;
  /** A CSS variable, e.g. `--series-1`. */
  readonly color: string;
  readonly filled?: boolean;
  readonly stepped?: boolean;
}

interface TimeChartProps {
  readonly title: string;
  readonly series: readonly SeriesStyle[];
  readonly columns: Columns;
  /** The newest figures, one per series. */
  readonly latest: readonly (number | null)[];
  readonly format: (value: number | null) => string;
  /** Of what can only be counted: the scale has whole numbers. */
  readonly counted: boolean;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Whole minutes: what uPlot would choose leaves five minutes with one label. */
const MINUTES = [1, 2, 5, 10, 15, 30, 60].map((minutes) => minutes * 60);
const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000];
const HEIGHT = 150;

const cssColor = (variable: string): string =>
  getComputedStyle(document.documentElement).getPropertyValue(variable).trim();

function optionsOf(
  { series, format, counted }: TimeChartProps,
  width: number,
  onHover: (index: number | null) => void,
): uPlot.Options {
  const ink = cssColor('--ink-3');
  const line = cssColor('--line');
  const font = '11px "Geist Variable", sans-serif';
  const grid = { stroke: line, width: 1 };
  return {
    width,
    height: HEIGHT,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { y: false, sync: { key: 'service-charts' }, points: { size: 7 }, drag: { x: false, y: false } },
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx ?? null)] },
    scales: { y: { range: (_plot, _min, max) => [0, Math.max(max ?? 0, 1) * 1.1] } },
    axes: [
      {
        stroke: ink,
        font,
        grid: { show: false },
        ticks: { show: false },
        space: 70,
        size: 24,
        incrs: MINUTES,
        values: '{HH}:{mm}',
      },
      {
        stroke: ink,
        font,
        grid,
        ticks: { show: false },
        size: 52,
        space: 34,
        ...(counted ? { incrs: COUNTS } : {}),
        values: (_plot, values) => values.map((value) => format(value)),
      },
    ],
    series: [
      {},
      ...series.map(({ label, color, filled, stepped }) => ({
        label,
        stroke: cssColor(color),
        width: 1.5,
        points: { show: false },
        spanGaps: false,
        ...(filled === true ? { fill: `color-mix(in oklch, ${cssColor(color)} 14%, transparent)` } : {}),
        ...(stepped === true && uPlot.paths.stepped ? { paths: uPlot.paths.stepped({ align: 1 }) } : {}),
      })),
    ],
  };
}

/** A live chart; the figures in its head are those under the pointer, or the newest. */
export function TimeChart(props: TimeChartProps) {
  const { title, series, columns, latest, format, fromMs, untilMs } = props;
  const theme = useShownTheme();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [hovered, setHovered] = useState<number | null>(null);
  const current = useRef(props);
  current.current = props;

  // biome-ignore lint/correctness/useExhaustiveDependencies: the theme's colours are read from CSS when it is built
  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const built = new uPlot(
      optionsOf(current.current, element.clientWidth, setHovered),
      current.current.columns,
      element,
    );
    plot.current = built;
    const resize = new ResizeObserver(() => built.setSize({ width: element.clientWidth, height: HEIGHT }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      built.destroy();
      plot.current = null;
    };
  }, [theme]);

  useEffect(() => {
    const shown = plot.current;
    if (shown === null) return;
    shown.batch(() => {
      shown.setData(columns, false);
      shown.setScale('x', { min: fromMs / 1000, max: untilMs / 1000 });
    });
  }, [columns, fromMs, untilMs]);

  const at = hovered === null ? undefined : columns[0][hovered];
  const figures = at === undefined ? latest : series.map((_style, index) => columns[index + 1]?.[hovered ?? 0] ?? null);
  const summary = series.map(({ label }, index) => `${label} ${format(latest[index] ?? null)}`).join(', ');
  return (
    <figure className="min-w-0 rounded-xl border border-line bg-surface shadow-panel">
      <figcaption className="flex flex-col gap-1 px-4 pt-3">
        <span className="flex items-baseline justify-between gap-2">
          <span className="text-[0.8125rem] font-medium text-ink-2">{title}</span>
          <span className="figures text-xs text-ink-3">
            {at === undefined ? '' : clockText(new Date(at * 1000).toISOString()).slice(0, 8)}
          </span>
        </span>
        <span className="flex min-h-7 flex-wrap items-baseline gap-x-4">
          {series.map(({ label, color }, index) => (
            <span key={label} className="flex items-baseline gap-1.5">
              {series.length > 1 && (
                <span className="flex items-center gap-1 text-xs text-ink-3">
                  <span
                    aria-hidden
                    className="h-2.5 w-1 -skew-x-12 rounded-[1px]"
                    style={{ background: `var(${color})` }}
                  />
                  {label}
                </span>
              )}
              <span
                className={classNames(
                  'figures font-semibold',
                  series.length > 1 ? 'text-sm' : 'text-xl tracking-tight',
                )}
              >
                {format(figures[index] ?? null)}
              </span>
            </span>
          ))}
        </span>
      </figcaption>
      <div ref={host} role="img" aria-label={`${title}, now: ${summary}`} className="h-[150px] w-full" />
    </figure>
  );
}
