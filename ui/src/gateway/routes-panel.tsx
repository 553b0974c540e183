import type { GatewayRoute, PolicyMark } from '@skyrun/contracts';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Waypoints } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { useApi } from '../api/context.ts';
import { EmptyState } from '../components/empty-state.tsx';
import { inputStyle } from '../components/input-style.ts';
import { ListState } from '../components/list-state.tsx';
import { MoreButton } from '../components/more-button.tsx';
import { Panel } from '../components/panel.tsx';
import { Pill } from '../components/pill.tsx';
import { Cell, HeadCell, Table } from '../components/table.tsx';
import { figure } from '../format/quantity.ts';
import type { InvalidRoute } from './combine.ts';
import { InvalidRouteMark } from './invalid-routes.tsx';
import { gatewayRoutesQuery } from './queries.ts';

/** Where requests go: every route of the gateways, looked for by the server and loaded page by page. */
export function RoutesPanel({ invalidRoutes }: { invalidRoutes: readonly InvalidRoute[] }) {
  const [typed, setTyped] = useState('');
  const text = useDeferredValue(typed.trim());
  const list = useInfiniteQuery(gatewayRoutesQuery(useApi(), text));
  const routes = list.data?.pages.flatMap((page) => page.items);
  const total = list.data?.pages.at(-1)?.total;
  return (
    <Panel
      title="Routes"
      note={total === undefined ? 'Where requests go.' : `${figure(total)} in all, by host; the platform’s own last.`}
      actions={
        <input
          type="search"
          aria-label="Search routes"
          placeholder="Host, path or project/service"
          maxLength={253}
          className={`${inputStyle} w-full sm:w-72`}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
      }
      flush
    >
      <ListState
        list={list}
        items={routes}
        rows={6}
        rowClassName="h-11"
        empty={
          <EmptyState icon={Waypoints} title="No route matches">
            Search for a part of a host, a path, or project/service. A custom domain has a route once it is proved.
          </EmptyState>
        }
      />
      {routes !== undefined && routes.length > 0 && <RoutesTable routes={routes} invalidRoutes={invalidRoutes} />}
      <MoreButton list={list} label="More routes" />
    </Panel>
  );
}

function RoutesTable({
  routes,
  invalidRoutes,
}: {
  routes: readonly GatewayRoute[];
  invalidRoutes: readonly InvalidRoute[];
}) {
  const invalidAt = new Map(invalidRoutes.map((route) => [route.host, route]));
  return (
    <Table label="Routes, table" className="min-w-192">
      <thead>
        <tr>
          <HeadCell>Host and path</HeadCell>
          <HeadCell>Service</HeadCell>
          <HeadCell>Revisions</HeadCell>
          <HeadCell className="text-right">Ready instances</HeadCell>
          <HeadCell>Policy</HeadCell>
        </tr>
      </thead>
      <tbody className="[&>tr:last-child>td]:border-0">
        {routes.map((route) => (
          <tr key={`${route.host} ${route.pathPrefix}`}>
            <Cell className="max-w-96">
              <span className="block font-mono text-xs break-all">
                {route.host}
                <span className="text-ink-3">{route.pathPrefix}</span>
              </span>
              <Invalid invalid={invalidAt.get(route.host)} />
            </Cell>
            <Cell>
              <Owner route={route} />
            </Cell>
            <Cell>
              <Revisions route={route} />
            </Cell>
            <Cell className="figures text-right">
              {route.kind === 'platform' ? '–' : route.revisions.reduce((sum, { ready }) => sum + ready, 0)}
            </Cell>
            <Cell className="max-w-72">
              <Marks route={route} />
            </Cell>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function Invalid({ invalid }: { invalid: InvalidRoute | undefined }) {
  if (invalid === undefined) return null;
  return (
    <span className="mt-1 flex flex-wrap items-center gap-1.5 text-xs text-ink-2">
      <InvalidRouteMark route={invalid} /> invalid: {invalid.field}
    </span>
  );
}

const KIND: Readonly<Record<GatewayRoute['kind'], string | null>> = {
  service: null,
  tag: 'by its tag',
  domain: 'custom domain',
  platform: 'platform',
};

function Owner({ route: { project, service, kind } }: { route: GatewayRoute }) {
  return (
    <>
      {project === null ? (
        <span className="font-medium">{service}</span>
      ) : (
        <Link
          to="/projects/$project/services/$service"
          params={{ project, service }}
          className="font-medium underline-offset-4 hover:underline"
        >
          {project}/{service}
        </Link>
      )}
      {KIND[kind] !== null && <span className="block text-xs text-ink-3">{KIND[kind]}</span>}
    </>
  );
}

function Revisions({ route: { revisions, sticky, kind } }: { route: GatewayRoute }) {
  if (revisions.length === 0) return <span className="text-ink-3">{kind === 'platform' ? '–' : 'none yet'}</span>;
  return (
    <>
      {revisions.map(({ name, percent, protocol, ready }) => (
        <span key={name} className="block text-xs whitespace-nowrap text-ink-2">
          <span className="figures inline-block min-w-9 text-ink">{percent} %</span>{' '}
          <span className="font-mono">{name}</span>
          <span className="text-ink-3">
            {protocol === 'h2c' && ' · h2c'}
            {revisions.length > 1 && ` · ${ready} ready`}
          </span>
        </span>
      ))}
      {sticky && <span className="block text-xs text-ink-3">sticky</span>}
    </>
  );
}

const MARKS: Readonly<Record<PolicyMark, string>> = {
  maintenance: 'maintenance',
  addresses: 'addresses',
  cors: 'CORS',
  members: 'members only',
  'rate-limits': 'rate limits',
  'body-limit': 'body limit',
  'waiting-page': 'waiting page',
  timeouts: 'timeouts',
  breaker: 'breaker',
  'slow-start': 'slow start',
  multiplexing: 'multiplexing',
  pipelining: 'pipelining',
  cost: 'tells cost',
};

function Marks({ route: { policy, blocked } }: { route: GatewayRoute }) {
  const closed = policy.includes('maintenance');
  const rest = policy.filter((mark) => mark !== 'maintenance').map((mark) => MARKS[mark]);
  if (blocked === null && policy.length === 0) return <span className="text-ink-3">–</span>;
  return (
    <span className="flex flex-wrap items-center gap-1.5">
      {blocked !== null && <Pill tone="bad">spending cap</Pill>}
      {closed && <Pill tone="warn">{MARKS.maintenance}</Pill>}
      <span className="text-xs text-ink-2">{rest.join(', ')}</span>
    </span>
  );
}
