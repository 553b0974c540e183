import { useQuery } from '@tanstack/react-query';
import { Link, Outlet } from '@tanstack/react-router';
import { ArrowLeft, ExternalLink, SearchX } from 'lucide-react';
import { useApi } from '../api/context.ts';
import { toProblem } from '../api/problems.ts';
import { instancesQuery, serviceQuery } from '../api/queries.ts';
import { buttonStyle } from '../components/button.tsx';
import { CopyButton } from '../components/copy-button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { Page } from '../components/page.tsx';
import { Panel } from '../components/panel.tsx';
import { Pill } from '../components/pill.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Runway } from '../components/runway.tsx';
import { Skeleton } from '../components/skeleton.tsx';
import { countInstances } from '../live/reduce.ts';
import { bareUrl, readinessOf } from '../services/readiness.ts';
import { useProjectName, useServiceName } from '../shell/place.ts';
import { ServiceTabs } from './tabs.tsx';

/** The head of a service on every tab: its state, its URL, and how many instances run at this moment. */
export function ServicePage() {
  const project = useProjectName();
  const name = useServiceName();
  const api = useApi();
  const { data: service, error, refetch } = useQuery(serviceQuery(api, project, name));
  const { data: instances } = useQuery(instancesQuery(api, project, name));
  const back = (
    <Link
      to="/projects/$project/services"
      params={{ project }}
      className="mb-1 inline-flex items-center gap-1 text-[0.8125rem] text-ink-3 hover:text-ink"
    >
      <ArrowLeft aria-hidden className="size-3.5" />
      Services
    </Link>
  );
  if (service === undefined) {
    const gone = error !== null && toProblem(error).code === 'resource.not_found';
    return (
      <Page title={name} documentTitle={`${name} – ${project}`} above={back}>
        {error === null && <Skeleton className="h-96 rounded-xl" />}
        {gone && (
          <Panel>
            <EmptyState
              icon={SearchX}
              title={`${project} has no service named ${name}`}
              command={`./skyrun services --project ${project}`}
            >
              It may have been deleted, or the address is mistyped.
            </EmptyState>
          </Panel>
        )}
        {error !== null && !gone && <ProblemNotice error={error} onRetry={refetch} />}
      </Page>
    );
  }
  const counts = instances === undefined ? service.status.instances : countInstances(instances);
  const readiness = readinessOf({ ...service, status: { ...service.status, instances: counts } });
  const { url } = service.status;
  return (
    <Page
      title={name}
      documentTitle={`${name} – ${project}`}
      above={back}
      subtitle={
        <div className="flex min-h-8 max-w-full items-center gap-1">
          <a
            href={url}
            target="_blank"
            rel="noreferrer"
            className="truncate text-accent-ink underline-offset-4 hover:underline"
          >
            <span className="sr-only">Service URL: </span>
            {bareUrl(url)}
          </a>
          <CopyButton text={url} label="Copy URL" />
        </div>
      }
      actions={
        <>
          <div className="mr-2 flex items-center gap-3">
            <Runway counts={counts} maxScale={service.spec.template.scaling.maxScale} />
            <p className="figures text-ink-2">
              <span role="status" aria-label="Ready instances" className="font-semibold text-ink">
                {counts.ready}
              </span>{' '}
              ready{counts.starting > 0 && `, ${counts.starting} starting`}
            </p>
            <Pill tone={readiness.tone} moving={readiness.moving}>
              {readiness.label}
            </Pill>
          </div>
          <a href={url} target="_blank" rel="noreferrer" className={buttonStyle({ tone: 'solid' })}>
            <ExternalLink aria-hidden />
            Open
          </a>
        </>
      }
    >
      <ServiceTabs project={project} service={name} />
      {readiness.state === 'failed' && (
        <div role="alert" className="rounded-xl border border-bad/40 bg-bad-soft p-4 text-bad-ink">
          <p className="font-semibold">The latest revision did not become ready</p>
          {readiness.message !== undefined && <p className="break-words">{readiness.message}</p>}
        </div>
      )}
      <Outlet />
    </Page>
  );
}
