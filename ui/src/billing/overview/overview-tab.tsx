import { useQuery } from '@tanstack/react-query';
import { useApi, useUser } from '../../api/context.ts';
import { costsQuery } from '../../api/queries.ts';
import { Ago } from '../../components/ago.tsx';
import { Money } from '../../components/money.tsx';
import { Panel } from '../../components/panel.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { dateTimeText } from '../../format/time.ts';
import { useProjectName } from '../../shell/place.ts';
import { CostLines } from '../cost-lines.tsx';
import { Totals } from '../totals.tsx';
import { ClosePeriod } from './close-period.tsx';
import { CostBreakdown } from './cost-breakdown.tsx';
import { ForecastPanel } from './forecast-panel.tsx';

export function OverviewTab() {
  const project = useProjectName();
  const { data: report, error, refetch } = useQuery(costsQuery(useApi(), project));
  const mayClose = useUser()?.admin === true;
  if (report === undefined) {
    if (error !== null) return <ProblemNotice error={error} onRetry={refetch} />;
    return (
      <>
        <Skeleton className="h-44 rounded-xl" />
        <Skeleton className="h-64 rounded-xl" />
      </>
    );
  }
  return (
    <>
      <div className="grid gap-4 lg:grid-cols-2">
        <Panel className="flex flex-col justify-center">
          <p className="text-[0.8125rem] font-medium text-ink-2">Live cost</p>
          <p
            className="py-1 text-4xl leading-tight font-semibold tracking-tight break-all"
            role="status"
            aria-label="Live cost"
          >
            <Money amount={report.exactSubtotal ?? report.exactTotal} currency={report.currency} />
          </p>
          {report.credits.length > 0 && (
            <p className="mb-1 text-ink-2">
              <span role="status" aria-label="Live cost after credits" className="font-medium text-ink">
                <Money amount={report.exactTotal} currency={report.currency} />
              </span>{' '}
              after credits
            </p>
          )}
          <p className="text-[0.8125rem] text-ink-3">
            Open period since {dateTimeText(report.periodStart)} ·{' '}
            {report.usageUntil === null ? (
              'no usage counted yet'
            ) : (
              <>
                usage counted until <Ago time={report.usageUntil} />
              </>
            )}
          </p>
        </Panel>
        <ForecastPanel project={project} />
      </div>
      <CostBreakdown project={project} />
      <CostLines title="Lines so far" lines={report.lines} currency={report.currency} />
      <Panel
        title="If the period were closed now"
        note={`Rounded to the cent, once per line · price list ${report.priceList}`}
        actions={
          mayClose && (
            <ClosePeriod project={project}>
              <span className="text-ink-2">Total as of now</span>
              <Money amount={report.total} currency={report.currency} className="text-lg font-semibold" />
            </ClosePeriod>
          )
        }
      >
        <Totals {...report} />
      </Panel>
    </>
  );
}
