import { useQuery } from '@tanstack/react-query';
import { Activity, Network } from 'lucide-react';
import type { ReactNode } from 'react';
import { useApi } from '../api/context.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { useNow } from '../components/now.ts';
import { Page } from '../components/page.tsx';
import { Panel } from '../components/panel.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Skeleton } from '../components/skeleton.tsx';
import { figure } from '../format/quantity.ts';
import { BusyClients, BusyLimits, BusyServices, Ejected } from './busiest.tsx';
import { type Combined, combine, isSilent } from './combine.ts';
import { InvalidRoutes } from './invalid-routes.tsx';
import { Processes } from './processes.tsx';
import { gatewaysQuery } from './queries.ts';
import { RoutesPanel } from './routes-panel.tsx';

/** What the gateways of this installation are doing, for its operators. */
export function GatewayPage() {
  const { data: views, error, refetch } = useQuery(gatewaysQuery(useApi()));
  const now = useNow();
  const combined = combine((views ?? []).filter((view) => !isSilent(view, now)));
  return (
    <Page
      title="Gateway"
      subtitle="Every process that takes requests of this installation, as of the last two seconds."
    >
      {error !== null && <ProblemNotice error={error} onRetry={refetch} />}
      {views === undefined && error === null && <Skeleton className="h-64 rounded-xl" />}
      {views !== undefined && (
        <>
          <Figures combined={combined} />
          {combined.invalidRouteCount > 0 && (
            <InvalidRoutes invalidRoutes={combined.invalidRoutes} invalidRouteCount={combined.invalidRouteCount} />
          )}
          <Panel title="Processes" flush>
            {views.length === 0 ? (
              <EmptyState icon={Network} title="No gateway has shown itself yet">
                One that runs appears here within two seconds. Is the gateway process started?
              </EmptyState>
            ) : (
              <Processes views={views} now={now} />
            )}
          </Panel>
          <Busiest combined={combined} />
          <RoutesPanel invalidRoutes={combined.invalidRoutes} />
        </>
      )}
    </Page>
  );
}

function Figures({ combined }: { combined: Combined }) {
  const { requests, errors, connections, inFlight, waiting, ejected } = combined;
  const figures = [
    { label: 'Requests/s', value: figure(requests), bad: false },
    { label: '5xx/s', value: figure(errors), bad: errors > 0 },
    { label: 'Connections', value: figure(connections), bad: false },
    { label: 'In flight', value: figure(inFlight), bad: false },
    { label: 'Waiting', value: figure(waiting), bad: false },
    { label: 'Ejected', value: figure(ejected.length), bad: ejected.length > 0 },
  ];
  return (
    <dl className="grid grid-cols-2 gap-px overflow-hidden rounded-xl border border-line bg-line shadow-panel sm:grid-cols-3 lg:grid-cols-6">
      {figures.map(({ label, value, bad }) => (
        <div key={label} className="bg-surface px-4 py-3">
          <dt className="text-xs text-ink-3">{label}</dt>
          <dd className={`figures mt-0.5 text-xl font-semibold ${bad ? 'text-bad-ink' : ''}`}>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Busiest({ combined }: { combined: Combined }) {
  const { services, clients, limits, ejected } = combined;
  return (
    <>
      {ejected.length > 0 && (
        <Panel
          title="Ejected instances"
          note="Their circuit breaker is open: they get no requests but one that tries."
          flush
        >
          <Ejected ejected={ejected} />
        </Panel>
      )}
      <Panel title="Busiest services" flush>
        {services.length === 0 ? <Quiet>No service is being called.</Quiet> : <BusyServices services={services} />}
      </Panel>
      <div className="grid items-start gap-6 lg:grid-cols-2">
        <Panel title="Top talkers" note="Client addresses by their requests." flush>
          {clients.length === 0 ? <Quiet>Nobody calls.</Quiet> : <BusyClients clients={clients} />}
        </Panel>
        <Panel title="Rate limits that refuse" note="Requests beyond them are answered 429." flush>
          {limits.length === 0 ? <Quiet>No limit is being hit.</Quiet> : <BusyLimits limits={limits} />}
        </Panel>
      </div>
    </>
  );
}

function Quiet({ children }: { children: ReactNode }) {
  return (
    <p className="flex items-center gap-2 px-4 py-6 text-ink-3">
      <Activity aria-hidden className="size-4" />
      {children}
    </p>
  );
}
