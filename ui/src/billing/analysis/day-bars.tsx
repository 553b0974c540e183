import type { CostAnalysis } from '@skyrun/contracts';
import { Panel } from '../../components/panel.tsx';
import { moneyText, toCents } from '../../format/money.ts';
import { largest, shareOf } from '../share.ts';
import { dayColumns } from './day-columns.ts';

interface DayBarsProps {
  readonly days: CostAnalysis['groups'];
  /** RFC 3339; `until` is excluded. */
  readonly from: string;
  readonly until: string;
  readonly currency: string;
}

/** Each day's cost as a column, the idle part of it in a lighter one; the table below has the figures. */
export function DayBars({ days, from, until, currency }: DayBarsProps) {
  const columns = dayColumns(days, from, until);
  const most = largest(columns.map(({ amount }) => amount));
  const everyNth = Math.ceil(columns.length / 12);
  return (
    <Panel
      title="By day"
      note={`Days of UTC; the highest is ${moneyText(toCents(most), currency)}.`}
      actions={
        <span aria-hidden className="flex items-center gap-4 text-xs text-ink-3">
          <Key className="bg-series-1" label="in use" />
          <Key className="bg-series-3" label="idle" />
        </span>
      }
    >
      <div
        role="img"
        aria-label={`Cost by day: ${columns.map(({ day, amount }) => `${day} ${moneyText(toCents(amount), currency)}`).join(', ')}`}
        className="flex h-48 items-end gap-[3px]"
      >
        {columns.map(({ day, amount, idleAmount }, index) => (
          <div key={day} className="group relative flex h-full min-w-0 flex-1 flex-col justify-end">
            <div
              className="relative w-full overflow-hidden rounded-t-[3px] bg-series-1 transition-[filter] group-hover:brightness-110"
              style={{
                height: `max(${amount === '0' ? '0px' : '2px'}, calc((100% - 1.5rem) * ${shareOf(amount, most)}))`,
              }}
            >
              <div
                className="absolute inset-x-0 bottom-0 bg-series-3"
                style={{ height: `${shareOf(idleAmount, amount) * 100}%` }}
              />
            </div>
            <span className="figures h-6 overflow-visible pt-1.5 text-center text-[0.6875rem] leading-none whitespace-nowrap text-ink-3">
              {index % everyNth === 0 ? Number(day.slice(8)) : ''}
            </span>
            <span className="figures pointer-events-none absolute top-0 left-1/2 z-10 hidden -translate-x-1/2 rounded-md border border-line bg-surface px-2 py-1 text-xs whitespace-nowrap shadow-lifted group-hover:block">
              {day} · {moneyText(toCents(amount), currency)}
            </span>
          </div>
        ))}
      </div>
    </Panel>
  );
}

function Key({ className, label }: { className: string; label: string }) {
  return (
    <span className="flex items-center gap-1.5">
      <span className={`h-2.5 w-1 -skew-x-12 rounded-[1px] ${className}`} />
      {label}
    </span>
  );
}
