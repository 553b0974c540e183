import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useApi } from '../api/context.ts';
import { costsQuery } from '../api/queries.ts';
import { CostLines } from '../billing/cost-lines.tsx';
import { Money } from '../components/money.tsx';
import { Panel } from '../components/panel.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Skeleton } from '../components/skeleton.tsx';
import { requestsText } from '../format/quantity.ts';
import { dateTimeText } from '../format/time.ts';
import { useProjectName, useServiceName } from '../shell/place.ts';

export function CostTab() {
  const project = useProjectName();
  const name = useServiceName();
  const { data: report, error, refetch } = useQuery(costsQuery(useApi(), project));
  if (report === undefined) {
    return error === null ? (
      <Skeleton className="h-64 rounded-xl" />
    ) : (
      <ProblemNotice error={error} onRetry={refetch} />
    );
  }
  const own = report.services.find(({ service }) => service === name);
  const lines = report.lines.filter(({ service }) => service === name);
  return (
    <div className="flex flex-col gap-4">
      <Panel>
        <div className="flex flex-wrap items-end justify-between gap-x-8 gap-y-3">
          <div>
            <p className="text-[0.8125rem] font-medium text-ink-2">Cost so far</p>
            <p className="text-3xl font-semibold tracking-tight" role="status" aria-label="Cost so far">
              <Money amount={own?.exactAmount ?? '0'} currency={report.currency} />
            </p>
          </div>
          <p className="text-[0.8125rem] text-ink-3">
            {requestsText(own?.requests ?? '0')} since {dateTimeText(report.periodStart)}, before credits. Credits and
            the total are on the{' '}
            <Link
              to="/projects/$project/billing"
              params={{ project }}
              className="text-accent-ink underline underline-offset-4"
            >
              bill of the project
            </Link>
            .
          </p>
        </div>
      </Panel>
      <CostLines lines={lines} currency={report.currency} title="Lines of this service" ofOneService />
    </div>
  );
}
