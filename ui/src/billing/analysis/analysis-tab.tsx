import { useQuery } from '@tanstack/react-query';
import { BarChart3 } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useApi } from '../../api/context.ts';
import { fieldMessage, toProblem } from '../../api/problems.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { TextField } from '../../components/field.tsx';
import { Money } from '../../components/money.tsx';
import { Panel } from '../../components/panel.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Segments } from '../../components/segments.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { moneyText, toCents } from '../../format/money.ts';
import { useProjectName } from '../../shell/place.ts';
import { analysisQuery, type CostGroup } from '../queries.ts';
import { CostTable } from './cost-table.tsx';
import { DayBars } from './day-bars.tsx';
import { percentText } from './percent.ts';

const GROUPS = [
  { value: 'service', label: 'Service' },
  { value: 'revision', label: 'Revision' },
  { value: 'instance', label: 'Instance' },
  { value: 'day', label: 'Day' },
] as const satisfies readonly { value: CostGroup; label: string }[];

export function AnalysisTab() {
  const project = useProjectName();
  const api = useApi();
  const [groupBy, setGroupBy] = useState<CostGroup>('service');
  const [from, setFrom] = useState('');
  const [until, setUntil] = useState('');
  const range = { from: from === '' ? undefined : from, until: until === '' ? undefined : until };
  const days = useQuery(analysisQuery(api, project, { ...range, groupBy: 'day' }));
  const groups = useQuery(analysisQuery(api, project, { ...range, groupBy }));
  const error = days.error ?? groups.error;
  const problem = error === null ? null : toProblem(error);
  // The server names the field of a query as such, of a body by pointer.
  const untilError = problem?.errors.find(({ field }) => field === 'until' || field === '/until')?.message;
  return (
    <>
      <div className="flex flex-wrap items-start gap-4">
        <TextField
          label="From"
          type="date"
          value={from}
          hint="The first of this month if empty."
          onChange={(event) => setFrom(event.target.value)}
        />
        <TextField
          label="Until"
          type="date"
          value={until}
          hint="Today if empty."
          error={untilError ?? fieldMessage(problem, '/until')}
          onChange={(event) => setUntil(event.target.value)}
        />
      </div>
      {problem !== null && untilError === undefined && (
        <ProblemNotice error={problem} onRetry={() => Promise.all([days.refetch(), groups.refetch()])} />
      )}
      {problem === null && days.data === undefined && <Skeleton className="h-72 rounded-xl" />}
      {problem === null && days.data?.groups.length === 0 && (
        <Panel>
          <EmptyState icon={BarChart3} title="No usage in these days">
            Choose other days, or send a service some requests.
          </EmptyState>
        </Panel>
      )}
      {problem === null && days.data !== undefined && days.data.groups.length > 0 && (
        <>
          <dl className="grid gap-4 sm:grid-cols-2 lg:grid-cols-4">
            <Figure name="Cost" value={moneyText(toCents(days.data.total.amount), days.data.currency)} />
            <Figure
              name="Per 1,000 requests"
              value={
                days.data.total.per1000Requests === null ? (
                  '–'
                ) : (
                  <Money amount={days.data.total.per1000Requests} currency={days.data.currency} />
                )
              }
            />
            <Figure name="Idle share" value={percentText(days.data.total.idleShare)} />
            <Figure
              name="Cost of idle time"
              value={moneyText(toCents(days.data.total.idleAmount), days.data.currency)}
            />
          </dl>
          <DayBars
            days={days.data.groups}
            from={days.data.from}
            until={days.data.until}
            currency={days.data.currency}
          />
          <Panel
            title="By part"
            note="At list price, before credits. Idle is time that is paid for without a request."
            actions={<Segments label="Group by" options={GROUPS} value={groupBy} onChange={setGroupBy} />}
            flush
          >
            {groups.data === undefined || groups.data.groupBy !== groupBy ? (
              <Skeleton className="m-4 h-40" />
            ) : (
              <CostTable analysis={groups.data} />
            )}
          </Panel>
        </>
      )}
    </>
  );
}

function Figure({ name, value }: { name: string; value: ReactNode }) {
  return (
    <div className="rounded-xl border border-line bg-surface px-4 py-3 shadow-panel">
      <dt className="text-[0.8125rem] text-ink-2">{name}</dt>
      <dd className="figures mt-0.5 text-xl font-semibold tracking-tight">{value}</dd>
    </div>
  );
}
