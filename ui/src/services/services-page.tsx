import type { Service } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { ArrowUpRight, Rocket } from 'lucide-react';
import { useApi } from '../api/context.ts';
import { servicesQuery } from '../api/queries.ts';
import { Ago } from '../components/ago.tsx';
import { buttonStyle } from '../components/button.tsx';
import { Command } from '../components/command.tsx';
import { ListState } from '../components/list-state.tsx';
import { Page } from '../components/page.tsx';
import { Panel } from '../components/panel.tsx';
import { Pill } from '../components/pill.tsx';
import { Runway } from '../components/runway.tsx';
import { DropOverlay } from '../deploy/drop-overlay.tsx';
import { DropZone } from '../deploy/drop-zone.tsx';
import { usePendingArchive } from '../deploy/pending-archive.ts';
import { figure } from '../format/quantity.ts';
import { useMay } from '../shell/permissions.ts';
import { useProjectName } from '../shell/place.ts';
import { useLiveRates } from './live-rates.ts';
import { bareUrl, readinessOf } from './readiness.ts';

function ServiceRow({ service, rate }: { service: Service; rate: number | null }) {
  const readiness = readinessOf(service);
  const { instances, url } = service.status;
  const { maxScale } = service.spec.template.scaling;
  return (
    <li className="relative grid grid-cols-[minmax(0,1fr)_auto] items-center gap-x-6 gap-y-2 border-b border-line px-4 py-3.5 transition-colors last:border-0 hover:bg-hover/50 md:grid-cols-[minmax(0,1fr)_8rem_minmax(0,11.5rem)_6rem_6rem]">
      <div className="min-w-0">
        <Link
          to="/projects/$project/services/$service"
          params={{ project: service.project, service: service.name }}
          className="inline-flex min-h-6 min-w-6 items-center font-semibold after:absolute after:inset-0 after:rounded-[inherit]"
        >
          {service.name}
        </Link>
        <a
          href={url}
          target="_blank"
          rel="noreferrer"
          className="relative z-10 flex w-fit max-w-full items-center gap-1 text-[0.8125rem] text-ink-3 underline-offset-4 hover:text-accent-ink hover:underline"
        >
          <span className="truncate">{bareUrl(url)}</span>
          <ArrowUpRight aria-hidden className="size-3.5 shrink-0" />
          <span className="sr-only">(opens in a new tab)</span>
        </a>
      </div>
      <div className="justify-self-end md:justify-self-start">
        <Pill tone={readiness.tone} moving={readiness.moving}>
          {readiness.label}
        </Pill>
      </div>
      <div className="flex min-w-0 items-center gap-3">
        <Runway counts={instances} maxScale={maxScale} />
        <span className="figures text-[0.8125rem] whitespace-nowrap text-ink-2">
          <span className="sr-only">Instances: </span>
          {instances.ready + instances.starting} / {maxScale}
        </span>
      </div>
      <p className="figures hidden text-right text-[0.8125rem] text-ink-2 md:block">
        {rate === null ? '–' : `${figure(rate)} req/s`}
      </p>
      <p className="justify-self-end text-right text-[0.8125rem] text-ink-3">
        <span className="sr-only">Changed </span>
        <Ago time={service.updatedAt} />
      </p>
    </li>
  );
}

export function ServicesPage() {
  const project = useProjectName();
  const list = useQuery(servicesQuery(useApi(), project));
  const services = list.data;
  const may = useMay(project)('services.write');
  const pending = usePendingArchive();
  const navigate = useNavigate();
  const rateOf = useLiveRates();
  const deploy = (file: File) => {
    pending.put(file);
    void navigate({ to: '/projects/$project/deploy', params: { project } });
  };

  return (
    <Page
      title="Services"
      documentTitle={`Services – ${project}`}
      subtitle="Each has a URL, scales with its traffic, and costs nothing at zero."
      actions={
        may && (
          <Link to="/projects/$project/deploy" params={{ project }} className={buttonStyle({ tone: 'solid' })}>
            <Rocket aria-hidden />
            Deploy
          </Link>
        )
      }
    >
      {may && <DropOverlay onFile={deploy} />}
      {services === undefined && (
        <Panel flush>
          <ListState list={list} items={services} rows={4} rowClassName="h-17" />
        </Panel>
      )}
      {services !== undefined && services.length > 0 && (
        <Panel flush>
          <ul aria-label="Services">
            {services.map((service) => (
              <ServiceRow key={service.id} service={service} rate={rateOf(service.name)} />
            ))}
          </ul>
        </Panel>
      )}
      {services !== undefined && may && (
        <section aria-label="Deploy an image" className="flex flex-col gap-3">
          <DropZone onFile={deploy} big={services.length === 0} />
          {services.length === 0 && (
            <div className="flex flex-wrap items-center justify-center gap-3 text-ink-2">
              or from a terminal
              <Command>{`./skyrun deploy ./image.tar --project ${project}`}</Command>
            </div>
          )}
        </section>
      )}
      {services?.length === 0 && !may && (
        <p className="text-ink-2">No services yet. Your role may look, not deploy: ask an owner of {project}.</p>
      )}
    </Page>
  );
}
