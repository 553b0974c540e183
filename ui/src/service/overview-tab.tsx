import type { Condition } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { CircleCheck, CircleDashed, CircleX } from 'lucide-react';
import { useApi } from '../api/context.ts';
import { instancesQuery, serviceQuery } from '../api/queries.ts';
import { ServiceCharts } from '../charts/service-charts.tsx';
import { Ago } from '../components/ago.tsx';
import { Command } from '../components/command.tsx';
import { Panel } from '../components/panel.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Skeleton } from '../components/skeleton.tsx';
import { useProjectName, useServiceName } from '../shell/place.ts';
import { EndedInstances } from './ended-instances.tsx';
import { InstanceTiles } from './instance-tiles.tsx';
import { StartsPanel } from './starts/starts-panel.tsx';

const MARK: Readonly<Record<Condition['status'], { icon: typeof CircleCheck; style: string; says: string }>> = {
  True: { icon: CircleCheck, style: 'text-ok-ink', says: 'yes' },
  False: { icon: CircleX, style: 'text-bad-ink', says: 'no' },
  Unknown: { icon: CircleDashed, style: 'text-ink-3', says: 'not known yet' },
};

function Conditions({ conditions }: { conditions: readonly Condition[] }) {
  return (
    <ul className="flex flex-col gap-2.5">
      {conditions.map(({ type, status, reason, message, lastTransitionTime }) => {
        const { icon: Icon, style, says } = MARK[status];
        return (
          <li key={type} className="flex gap-2.5">
            <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${style}`} />
            <div className="min-w-0 flex-1">
              <p className="flex justify-between gap-3">
                <span className="font-medium">
                  {type}
                  <span className="sr-only">: {says}</span>
                </span>
                <Ago time={lastTransitionTime} className="shrink-0 text-xs text-ink-3" />
              </p>
              {(message ?? reason) !== undefined && (
                <p className="text-[0.8125rem] break-words text-ink-2">{message ?? reason}</p>
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}

function Facts({ facts }: { facts: readonly (readonly [string, string])[] }) {
  return (
    <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-6 gap-y-2">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-ink-3">{name}</dt>
          <dd className="figures truncate text-right font-medium" title={value}>
            {value}
          </dd>
        </div>
      ))}
    </dl>
  );
}

export function OverviewTab() {
  const project = useProjectName();
  const name = useServiceName();
  const api = useApi();
  const { data: service } = useQuery(serviceQuery(api, project, name));
  const { data: instances, error, refetch } = useQuery(instancesQuery(api, project, name));
  if (service === undefined) return null;
  const { template } = service.spec;
  const { scaling } = template;
  return (
    <div className="flex flex-col gap-6">
      <section aria-labelledby="instances-title" className="flex flex-col gap-3">
        <div className="flex items-baseline justify-between">
          <h2 id="instances-title" className="text-sm font-semibold">
            Instances
          </h2>
          {instances !== undefined && <EndedInstances instances={instances} />}
        </div>
        {instances === undefined && error === null && <Skeleton className="h-24 rounded-xl" />}
        {instances === undefined && error !== null && <ProblemNotice error={error} onRetry={refetch} />}
        {instances !== undefined && (
          <InstanceTiles instances={instances} startable={service.status.latestReadyRevision !== undefined} />
        )}
      </section>
      <ServiceCharts project={project} service={name} />
      <StartsPanel project={project} service={name} />
      <div className="grid items-start gap-4 md:grid-cols-2">
        <Panel title="Conditions">
          <Conditions conditions={service.status.conditions} />
        </Panel>
        <Panel title="Configuration">
          <Facts
            facts={[
              ['Image', template.image],
              ['Serving', service.status.latestReadyRevision ?? 'none yet'],
              ['Port', `${template.port} (${template.protocol})`],
              ['Scale', `${scaling.minScale} – ${scaling.maxScale} instances`],
              [
                'Concurrency',
                template.containerConcurrency === 0 ? 'no limit' : `${template.containerConcurrency} at once`,
              ],
              ['CPU', `${template.resources.cpuMilli / 1000} vCPU`],
              ['Memory', `${template.resources.memoryMib} MiB`],
              ['Timeout', `${template.timeoutSeconds} s`],
              ['Billed', template.billingMode === 'request' ? 'while requests run' : 'while instances run'],
            ]}
          />
        </Panel>
      </div>
      <div className="flex flex-wrap items-center gap-3 text-ink-2">
        Try it from a terminal
        <Command>{`curl ${service.status.url}`}</Command>
      </div>
    </div>
  );
}
