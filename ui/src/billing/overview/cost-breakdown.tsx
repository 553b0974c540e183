import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ReceiptText } from 'lucide-react';
import { useState } from 'react';
import { useApi } from '../../api/context.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListState } from '../../components/list-state.tsx';
import { Money } from '../../components/money.tsx';
import { Panel } from '../../components/panel.tsx';
import { Segments } from '../../components/segments.tsx';
import { requestsText } from '../../format/quantity.ts';
import { analysisQuery } from '../queries.ts';
import { byAmount, largest, shareOf } from '../share.ts';

const GROUPS = [
  { value: 'service', label: 'Service' },
  { value: 'revision', label: 'Revision' },
  { value: 'instance', label: 'Instance' },
] as const;
type Group = (typeof GROUPS)[number]['value'];

/** Rows shown; instances can be thousands. */
const SHOWN = 25;

/** This month's cost as it grows, by what it comes from. */
export function CostBreakdown({ project }: { project: string }) {
  const [groupBy, setGroupBy] = useState<Group>('service');
  const list = useQuery(analysisQuery(useApi(), project, { groupBy }, true));
  const { data } = list;
  const groups = data?.groupBy === groupBy ? byAmount(data.groups) : undefined;
  const most = largest(groups?.map(({ amount }) => amount) ?? []);
  return (
    <Panel
      title="Where it comes from"
      note="This calendar month (UTC), at list price, before credits; live."
      actions={<Segments label="Group by" options={GROUPS} value={groupBy} onChange={setGroupBy} />}
      flush
    >
      <ListState
        list={list}
        items={groups}
        rows={3}
        empty={
          <EmptyState icon={ReceiptText} title="Nothing used yet">
            Deploy a service and send it a request; its cost appears here within seconds.
          </EmptyState>
        }
      />
      {groups !== undefined && data !== undefined && (
        <ul aria-label="Cost by part">
          {groups.slice(0, SHOWN).map(({ key, service, amount, requests }) => (
            <li key={key} className="relative border-b border-line px-4 py-2.5 last:border-0">
              <div className="flex items-baseline gap-4">
                <Name project={project} name={key} service={service} groupBy={groupBy} />
                <span className="figures hidden text-[0.8125rem] text-ink-3 sm:inline">{requestsText(requests)}</span>
                <Money amount={amount} currency={data.currency} className="font-medium" />
              </div>
              <div aria-hidden className="mt-1.5 h-1 rounded-full bg-sunken">
                <div className="h-full rounded-full bg-accent" style={{ width: `${shareOf(amount, most) * 100}%` }} />
              </div>
            </li>
          ))}
        </ul>
      )}
      {groups !== undefined && groups.length > SHOWN && (
        <p className="border-t border-line px-4 py-2.5 text-[0.8125rem] text-ink-3">
          The {SHOWN} that cost most of {groups.length}; the analysis has all.
        </p>
      )}
    </Panel>
  );
}

interface NameProps {
  readonly project: string;
  /** As the API groups it: `service`, `service/revision` or `service/instance`. */
  readonly name: string;
  readonly service: string | null;
  readonly groupBy: Group;
}

function Name({ project, name, service, groupBy }: NameProps) {
  const part = groupBy === 'service' ? name : name.slice((service ?? '').length + 1);
  if (service === null) return <span className="min-w-0 flex-1 truncate font-medium">{part}</span>;
  return (
    <span className="flex min-w-0 flex-1 items-baseline gap-2">
      <Link
        to="/projects/$project/services/$service/cost"
        params={{ project, service }}
        className="truncate font-medium underline-offset-4 hover:underline"
      >
        {groupBy === 'service' ? name : service}
      </Link>
      {groupBy !== 'service' && <span className="truncate font-mono text-xs text-ink-3">{part}</span>}
    </span>
  );
}
