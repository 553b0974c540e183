import type { Revision, Service } from '@skyrun/contracts';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { GitCommitHorizontal } from 'lucide-react';
import { useState } from 'react';
import { useApi } from '../api/context.ts';
import { revisionsQuery, serviceQuery } from '../api/queries.ts';
import { Ago } from '../components/ago.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { JsonView } from '../components/json-view.tsx';
import { ListState } from '../components/list-state.tsx';
import { MoreButton } from '../components/more-button.tsx';
import { Panel } from '../components/panel.tsx';
import { Pill } from '../components/pill.tsx';
import { useProjectName, useServiceName } from '../shell/place.ts';
import { RolloutPanel } from './rollout-panel.tsx';
import { StartsPanel } from './starts/starts-panel.tsx';
import { TrafficPanel } from './traffic-panel.tsx';

function RevisionRow({ revision, service }: { revision: Revision; service: Service | undefined }) {
  // What a closed row would show is not asked for.
  const [open, setOpen] = useState(false);
  const ready = revision.conditions.find(({ type }) => type === 'Ready');
  const targets = service?.status.traffic.filter(({ revisionName }) => revisionName === revision.name) ?? [];
  const percent = targets.reduce((sum, target) => sum + target.percent, 0);
  return (
    <li className="border-b border-line last:border-0">
      <details onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-3 -outline-offset-2 hover:bg-hover/50">
          <span className="min-w-40 font-semibold">{revision.name}</span>
          {ready?.status === 'True' && <Pill tone="ok">Ready</Pill>}
          {ready?.status === 'False' && <Pill tone="bad">Failed</Pill>}
          {ready?.status !== 'True' && ready?.status !== 'False' && (
            <Pill tone="accent" moving>
              Deploying
            </Pill>
          )}
          <span className="figures text-[0.8125rem] text-ink-2">{percent} % of traffic</span>
          <code className="font-mono text-xs text-ink-3">{revision.imageDigest.slice(7, 19)}</code>
          <Ago time={revision.createdAt} className="ml-auto text-[0.8125rem] text-ink-3" />
          {ready?.status === 'False' && (
            <span className="basis-full text-[0.8125rem] text-bad-ink">{ready.message ?? ready.reason}</span>
          )}
        </summary>
        <div className="flex flex-col gap-4 px-4 pt-3 pb-4">
          {open && service !== undefined && (
            <StartsPanel project={service.project} service={service.name} revision={revision.name} />
          )}
          <JsonView value={revision.template} label={`Template of ${revision.name}`} />
        </div>
      </details>
    </li>
  );
}

export function RevisionsTab() {
  const project = useProjectName();
  const name = useServiceName();
  const api = useApi();
  const { data: service } = useQuery(serviceQuery(api, project, name));
  const list = useInfiniteQuery(revisionsQuery(api, project, name));
  const revisions = list.data?.pages.flatMap((page) => page.items);
  return (
    <div className="flex flex-col gap-4">
      {service !== undefined && <TrafficPanel key={service.id} service={service} revisions={revisions ?? []} />}
      {service?.status.rollout !== undefined && <RolloutPanel rollout={service.status.rollout} />}
      <RevisionList />
    </div>
  );
}

function RevisionList() {
  const project = useProjectName();
  const name = useServiceName();
  const api = useApi();
  const { data: service } = useQuery(serviceQuery(api, project, name));
  const list = useInfiniteQuery(revisionsQuery(api, project, name));
  const revisions = list.data?.pages.flatMap((page) => page.items);
  return (
    <Panel title="Revisions" note="Every change of the configuration makes one; none is ever changed." flush>
      <ListState
        list={list}
        items={revisions}
        rows={3}
        empty={
          <EmptyState icon={GitCommitHorizontal} title="No revision yet">
            The first one appears as soon as the deploy was accepted.
          </EmptyState>
        }
      />
      {revisions !== undefined && revisions.length > 0 && (
        <ul aria-label="Revisions">
          {revisions.map((revision) => (
            <RevisionRow key={revision.id} revision={revision} service={service} />
          ))}
        </ul>
      )}
      <MoreButton list={list} label="Older revisions" />
    </Panel>
  );
}
