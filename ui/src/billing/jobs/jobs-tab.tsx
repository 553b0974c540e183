import { BILLING_JOB_STATES, type BillingJobs } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { ListChecks } from 'lucide-react';
import { useState } from 'react';
import { useApi } from '../../api/context.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { useNow } from '../../components/now.ts';
import { Panel } from '../../components/panel.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Segments } from '../../components/segments.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { spanText } from '../../format/time.ts';
import { type JobState, jobsQuery } from '../queries.ts';
import { JobTable } from './job-table.tsx';

const FILTERS = [
  { value: 'all', label: 'All' },
  ...BILLING_JOB_STATES.map((state) => ({ value: state, label: state.charAt(0).toUpperCase() + state.slice(1) })),
] as const;

/** The work that billing does by itself, over all of its replicas. */
export function JobsTab() {
  const [filter, setFilter] = useState<JobState | 'all'>('all');
  const { data, error, refetch } = useQuery(jobsQuery(useApi(), filter === 'all' ? undefined : filter));
  if (data === undefined) {
    return error === null ? (
      <Skeleton className="h-64 rounded-xl" />
    ) : (
      <ProblemNotice error={error} onRetry={refetch} />
    );
  }
  return (
    <>
      {error !== null && <ProblemNotice error={error} onRetry={refetch} />}
      <Kinds jobs={data} />
      <Panel
        title="Jobs"
        note={
          data.runner === 'queue'
            ? 'Shared by all replicas through Redis. One that fails is tried again, later and later.'
            : 'Without Redis, each replica does what is due itself; one that fails is tried again at the next look.'
        }
        actions={<Segments label="State" options={FILTERS} value={filter} onChange={setFilter} />}
        flush
      >
        {data.jobs.length === 0 ? (
          <EmptyState icon={ListChecks} title={filter === 'all' ? 'No job at the moment' : `No ${filter} job`}>
            What is done leaves the list; what fails stays until it is tried again.
          </EmptyState>
        ) : (
          <JobTable jobs={data.jobs} />
        )}
      </Panel>
    </>
  );
}

const MEANS: Readonly<Record<string, string>> = {
  'close-periods': 'ends and closes the periods that the calendar asks for',
  'check-budgets': 'compares spending and forecast with every budget',
  'accrue-usage': 'posts what was used to the ledger',
  'send-mails': 'mails alerts and invoices to the billing contacts',
  'trim-samples': 'forgets what instances used more than a month ago',
  'draw-documents': 'draws invoices and credit notes as PDF, once',
  'compare-sources': 'compares what gateways and runtimes say of the same instances',
  'check-ledgers': 'compares every ledger with its documents',
};

function Kinds({ jobs }: { jobs: BillingJobs }) {
  const now = useNow();
  return (
    <div className="grid gap-4 lg:grid-cols-[minmax(0,1fr)_16rem]">
      <Panel title="Scheduled" flush>
        <ul>
          {jobs.kinds.map(({ name, everyMs, nextAt }) => (
            <li
              key={name}
              className="flex flex-wrap items-baseline gap-x-4 border-b border-line px-4 py-2.5 last:border-0"
            >
              <span className="min-w-0 flex-1 basis-60">
                <span className="font-medium">{name}</span>
                {MEANS[name] !== undefined && <span className="text-ink-3"> – {MEANS[name]}</span>}
              </span>
              <span className="figures text-[0.8125rem] text-ink-3">
                every {spanText(everyMs)}
                {nextAt !== null && `, next in ${spanText(Math.max(0, Date.parse(nextAt) - now))}`}
              </span>
            </li>
          ))}
        </ul>
      </Panel>
      <Panel title="Now">
        <dl className="grid grid-cols-[minmax(0,1fr)_auto] gap-y-1.5">
          {BILLING_JOB_STATES.map((state) => (
            <div key={state} className="contents">
              <dt className="text-ink-2 capitalize">{state}</dt>
              <dd className="figures text-right font-semibold">{jobs.counts[state]}</dd>
            </div>
          ))}
        </dl>
      </Panel>
    </div>
  );
}
