import type { CostForecast } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { useApi } from '../../api/context.ts';
import { Money } from '../../components/money.tsx';
import { Panel } from '../../components/panel.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { moneyText, toCents } from '../../format/money.ts';
import { dateText } from '../../format/time.ts';
import { analysisQuery } from '../queries.ts';
import { shareOf } from '../share.ts';

/** Where the month will end, with its band; the same figures that budgets on the forecast look at. */
export function ForecastPanel({ project }: { project: string }) {
  const { data, error, refetch } = useQuery(analysisQuery(useApi(), project, { groupBy: 'service' }, true));
  if (data === undefined) {
    return error === null ? (
      <Skeleton className="h-44 rounded-xl" />
    ) : (
      <ProblemNotice error={error} onRetry={refetch} />
    );
  }
  const { forecast, currency } = data;
  const { expected, low, high, spent, wholeDays, monthEnd } = forecast;
  return (
    <Panel className="flex flex-col justify-center">
      <div className="flex items-baseline justify-between gap-4">
        <p className="text-[0.8125rem] font-medium text-ink-2">Expected by the end of the month</p>
        <p className="text-xs text-ink-3">{dateText(lastDay(monthEnd))}</p>
      </div>
      <p className="py-1 text-4xl leading-tight font-semibold tracking-tight" role="status" aria-label="Forecast">
        <Money amount={toCents(expected)} currency={currency} />
      </p>
      <Band forecast={forecast} currency={currency} />
      <p className="mt-2 text-[0.8125rem] text-ink-3">
        {wholeDays === 0
          ? 'At the pace of today, as there is no whole day yet.'
          : `At the pace of ${wholeDays} whole ${wholeDays === 1 ? 'day' : 'days'}; about 95 % of months like this end in the band.`}{' '}
        After the free tier, this calendar month (UTC).
      </p>
      <p className="sr-only">
        Spent {moneyText(toCents(spent), currency)}, band from {moneyText(toCents(low), currency)} to{' '}
        {moneyText(toCents(high), currency)}.
      </p>
    </Panel>
  );
}

function Band({ forecast: { spent, expected, low, high }, currency }: { forecast: CostForecast; currency: string }) {
  const at = (amount: string) => `${shareOf(amount, high) * 100}%`;
  return (
    <div aria-hidden className="mt-1">
      <div className="relative h-3 rounded-full bg-sunken">
        <div
          className="absolute inset-y-0 rounded-full bg-accent/25"
          style={{ left: at(low), width: `calc(${at(high)} - ${at(low)})` }}
        />
        <div className="absolute inset-y-0 left-0 rounded-full bg-accent" style={{ width: at(spent) }} />
        <div className="absolute -inset-y-0.5 w-0.5 -translate-x-1/2 bg-ink" style={{ left: at(expected) }} />
      </div>
      <div className="mt-1.5 flex justify-between text-xs text-ink-3">
        <span>
          spent <Money amount={toCents(spent)} currency={currency} className="font-medium text-ink-2" />
        </span>
        <span>
          band <Money amount={toCents(low)} currency={currency} className="font-medium text-ink-2" /> –{' '}
          <Money amount={toCents(high)} currency={currency} className="font-medium text-ink-2" />
        </span>
      </div>
    </div>
  );
}

/** The month ends at midnight; people name its last day. */
function lastDay(monthEnd: string): string {
  return new Date(Date.parse(monthEnd) - 1).toISOString();
}
