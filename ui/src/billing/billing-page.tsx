import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useApi } from '../api/context.ts';
import { costsQuery } from '../api/queries.ts';
import { Ago } from '../components/ago.tsx';
import { Money } from '../components/money.tsx';
import { Page } from '../components/page.tsx';
import { Panel } from '../components/panel.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Skeleton } from '../components/skeleton.tsx';
import { requestsText } from '../format/quantity.ts';
import { dateTimeText } from '../format/time.ts';
import { useMay } from '../shell/permissions.ts';
import { useProjectName } from '../shell/place.ts';
import { ClosePeriod } from './close-period.tsx';
import { CostLines } from './cost-lines.tsx';
import { InvoiceList } from './invoice-list.tsx';
import { Totals } from './totals.tsx';

export function BillingPage() {
  const project = useProjectName();
  const { data: report, error, refetch } = useQuery(costsQuery(useApi(), project));
  const mayClose = useMay(project)('billing.manage');
  return (
    <Page
      title="Billing"
      documentTitle={`Billing – ${project}`}
      subtitle={report === undefined ? 'The open period.' : `Open period since ${dateTimeText(report.periodStart)}.`}
      actions={
        report !== undefined &&
        mayClose && (
          <ClosePeriod project={project}>
            <span className="text-ink-2">Total as of now</span>
            <Money amount={report.total} currency={report.currency} className="text-lg font-semibold" />
          </ClosePeriod>
        )
      }
    >
      {error !== null && report === undefined && <ProblemNotice error={error} onRetry={refetch} />}
      {report === undefined && error === null && (
        <>
          <Skeleton className="h-36 rounded-xl" />
          <Skeleton className="h-64 rounded-xl" />
        </>
      )}
      {report !== undefined && (
        <>
          <div className="grid gap-4 lg:grid-cols-[minmax(0,1.1fr)_minmax(0,1fr)]">
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
                {report.usageUntil === null ? (
                  'No usage counted yet'
                ) : (
                  <>
                    Usage counted until <Ago time={report.usageUntil} />
                  </>
                )}{' '}
                · price list {report.priceList}
              </p>
            </Panel>
            <Panel title="By service" flush>
              {report.services.length === 0 && <p className="p-4 text-ink-2">No service has used anything yet.</p>}
              <ul>
                {report.services.map(({ service, exactAmount, requests }) => (
                  <li
                    key={service}
                    className="flex items-baseline gap-4 border-b border-line px-4 py-2.5 last:border-0"
                  >
                    <Link
                      to="/projects/$project/services/$service/cost"
                      params={{ project, service }}
                      className="min-w-0 flex-1 truncate font-medium underline-offset-4 hover:underline"
                    >
                      {service}
                    </Link>
                    <span className="figures text-[0.8125rem] text-ink-3">{requestsText(requests)}</span>
                    <Money amount={exactAmount} currency={report.currency} className="font-medium" />
                  </li>
                ))}
              </ul>
            </Panel>
          </div>
          <CostLines title="Lines so far" lines={report.lines} currency={report.currency} />
          <Panel title="If the period were closed now" note="Rounded to the cent, once per line.">
            <Totals {...report} />
          </Panel>
        </>
      )}
      <InvoiceList project={project} />
    </Page>
  );
}
