import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Check, CircleX, ExternalLink, LoaderCircle } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { useApi } from '../api/context.ts';
import { serviceQuery } from '../api/queries.ts';
import { buttonStyle } from '../components/button.tsx';
import { classNames } from '../components/class-names.ts';
import { CopyButton } from '../components/copy-button.tsx';
import { useNow } from '../components/now.ts';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { spanText } from '../format/time.ts';
import { conditionOf, readinessOf } from '../services/readiness.ts';

type Mark = 'done' | 'now' | 'later' | 'failed';

function Step({ mark, title, children }: { mark: Mark; title: string; children?: ReactNode }) {
  return (
    <li className="flex gap-3">
      <span
        aria-hidden
        className={classNames(
          'mt-0.5 flex size-5 shrink-0 items-center justify-center rounded-full border [&_svg]:size-3.5',
          mark === 'done' && 'border-transparent bg-ok-soft text-ok-ink',
          mark === 'failed' && 'border-transparent bg-bad-soft text-bad-ink',
          mark === 'now' && 'border-transparent text-accent-ink',
          mark === 'later' && 'border-line',
        )}
      >
        {mark === 'done' && <Check />}
        {mark === 'now' && <LoaderCircle className="animate-spin" />}
        {mark === 'failed' && <CircleX />}
      </span>
      <div className="min-w-0">
        <p className={classNames('font-medium', mark === 'later' && 'text-ink-3')}>{title}</p>
        {children !== undefined && <div className="text-[0.8125rem] text-ink-2">{children}</div>}
      </div>
    </li>
  );
}

/** Follows a new service or a change of one until it is ready or has failed. */
export function Follow({ project, name, generation }: { project: string; name: string; generation: number }) {
  const { data: service, error } = useQuery({ ...serviceQuery(useApi(), project, name), refetchInterval: 1000 });
  const now = useNow();
  const [since] = useState(now);
  if (service === undefined) return error === null ? null : <ProblemNotice error={error} />;
  const current = service.generation >= generation;
  const { state, message } = current ? readinessOf(service) : { state: 'deploying', message: undefined };
  const over = state !== 'deploying';
  const failed = state === 'failed';
  const configured = over || conditionOf(service, 'ConfigurationsReady')?.status === 'True';
  const { latestCreatedRevision: revision, url, instances } = service.status;
  return (
    <section
      aria-label="Deployment"
      className="flex flex-col gap-5 rounded-2xl border border-line bg-surface p-5 shadow-panel"
    >
      <div className="flex items-baseline justify-between gap-4">
        <div role="status">
          <h2 className="text-base font-semibold tracking-tight">
            {failed ? `${name} did not become ready` : over ? `${name} is ready` : `Deploying ${name}…`}
          </h2>
        </div>
        {!over && <span className="figures text-ink-3">{spanText(now - since)}</span>}
      </div>
      <ol className="flex flex-col gap-3">
        <Step mark="done" title="Accepted">
          Generation {service.generation}
        </Step>
        <Step mark={revision === undefined ? 'now' : 'done'} title="Revision made">
          {revision}
        </Step>
        <Step mark={failed ? 'failed' : configured ? 'done' : 'now'} title="First instance answers on its port">
          {failed || !over ? (message ?? `${instances.starting} starting, ${instances.ready} ready`) : undefined}
        </Step>
        <Step mark={failed ? 'later' : over ? 'done' : configured ? 'now' : 'later'} title="URL leads to it" />
      </ol>
      {state !== 'failed' && over && (
        <div className="flex flex-wrap items-center gap-2 rounded-xl bg-ok-soft p-3">
          <a
            href={url}
            target="_blank"
            rel="noreferrer"
            className="min-w-0 flex-1 truncate font-medium text-ok-ink underline-offset-4 hover:underline"
          >
            <span className="sr-only">Service URL: </span>
            {url}
          </a>
          <CopyButton text={url} label="Copy URL" />
          <a href={url} target="_blank" rel="noreferrer" className={buttonStyle({ tone: 'plain', size: 'sm' })}>
            <ExternalLink aria-hidden />
            Open
          </a>
        </div>
      )}
      {failed && (
        <p className="text-ink-2">Traffic stays where it was. The logs usually say why; the settings can be mended.</p>
      )}
      <div className="flex flex-wrap gap-2">
        <Link
          to="/projects/$project/services/$service"
          params={{ project, service: name }}
          className={buttonStyle({ tone: over && !failed ? 'solid' : 'plain' })}
        >
          Go to service
        </Link>
        {failed && (
          <Link
            to="/projects/$project/services/$service/logs"
            params={{ project, service: name }}
            className={buttonStyle({ tone: 'solid' })}
          >
            Read the logs
          </Link>
        )}
      </div>
    </section>
  );
}
