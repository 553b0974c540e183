import { type BillingJob, OPERATIONS } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { useRowAction } from '../../api/use-action.ts';
import { Ago } from '../../components/ago.tsx';
import { Button } from '../../components/button.tsx';
import { Pill, type Tone } from '../../components/pill.tsx';
import { Cell, HeadCell, Table } from '../../components/table.tsx';
import { clockText } from '../../format/time.ts';
import { billingKeys } from '../queries.ts';

const TONES: Readonly<Record<BillingJob['state'], Tone>> = {
  waiting: 'muted',
  delayed: 'warn',
  active: 'accent',
  completed: 'ok',
  failed: 'bad',
};

export function JobTable({ jobs }: { jobs: readonly BillingJob[] }) {
  return (
    <Table label="Jobs, table" className="sm:min-w-176">
      <thead>
        <tr>
          <HeadCell>Job</HeadCell>
          <HeadCell className="hidden sm:table-cell">For</HeadCell>
          <HeadCell>State</HeadCell>
          <HeadCell className="text-right">Attempts</HeadCell>
          <HeadCell className="hidden sm:table-cell">Made</HeadCell>
          <HeadCell>
            <span className="sr-only">Actions</span>
          </HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-0">
        {jobs.map((job) => (
          <tr key={job.id}>
            <Cell className="font-medium">
              {job.name}
              {job.item !== null && <span className="block text-xs font-normal text-ink-3 sm:hidden">{job.item}</span>}
              {job.error !== null && (
                <span className="mt-0.5 block max-w-120 font-mono text-xs font-normal break-words text-bad-ink">
                  {job.error}
                </span>
              )}
            </Cell>
            <Cell className="hidden text-ink-2 sm:table-cell">{job.item ?? 'the look for work'}</Cell>
            <Cell>
              <Pill tone={TONES[job.state]} moving={job.state === 'active'}>
                {job.state}
              </Pill>
              {job.nextAt !== null && (
                <span className="figures ml-2 text-xs text-ink-3">again {clockText(job.nextAt).slice(0, 8)}</span>
              )}
            </Cell>
            <Cell className="figures text-right">
              {job.attempts} of {job.maxAttempts}
            </Cell>
            <Cell className="hidden text-[0.8125rem] whitespace-nowrap text-ink-3 sm:table-cell">
              <Ago time={job.createdAt} />
            </Cell>
            <Cell className="text-right">{job.state === 'failed' && <Retry job={job} />}</Cell>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function Retry({ job }: { job: BillingJob }) {
  const api = useApi();
  const queries = useQueryClient();
  const { busy, run } = useRowAction(`${job.name} was not tried again`, async () => {
    try {
      await api.call(OPERATIONS.retryBillingJob, { params: { jobId: job.id } });
      toast(`${job.name} is tried again.`);
    } finally {
      await queries.invalidateQueries({ queryKey: billingKeys.jobs });
    }
  });
  return (
    <Button size="sm" busy={busy} aria-label={`Retry ${job.name} ${job.item ?? ''}`.trim()} onClick={run}>
      Retry
    </Button>
  );
}
