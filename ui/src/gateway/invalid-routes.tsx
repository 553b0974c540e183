import { Panel } from '../components/panel.tsx';
import { Pill } from '../components/pill.tsx';
import { Cell, HeadCell, Table } from '../components/table.tsx';
import { figure } from '../format/quantity.ts';
import { ServiceLink } from './busiest.tsx';
import type { Combined, InvalidRoute } from './combine.ts';

/** Routes that gateways could not take as they came, with what to do about each. */
export function InvalidRoutes({
  invalidRoutes,
  invalidRouteCount,
}: Pick<Combined, 'invalidRoutes' | 'invalidRouteCount'>) {
  return (
    <Panel
      title={`${figure(invalidRouteCount)} invalid ${invalidRouteCount === 1 ? 'route' : 'routes'}`}
      note="Deploy the service with a valid field, or bring the gateway to the registry’s version."
      flush
    >
      <Table label="Invalid routes, table" className="min-w-176">
        <thead>
          <tr>
            <HeadCell>Host</HeadCell>
            <HeadCell>Service</HeadCell>
            <HeadCell>Field</HeadCell>
            <HeadCell>Meanwhile</HeadCell>
            <HeadCell>Said by</HeadCell>
          </tr>
        </thead>
        <tbody className="[&>tr:last-child>td]:border-0">
          {invalidRoutes.map((route) => (
            <tr key={JSON.stringify(route)}>
              <Cell className="max-w-72 font-mono text-xs break-all">{route.host ?? '(not readable)'}</Cell>
              <Cell>
                {route.project === null || route.service === null ? (
                  <span className="text-ink-3">–</span>
                ) : (
                  <ServiceLink project={route.project} service={route.service} />
                )}
              </Cell>
              <Cell className="max-w-80">
                <code className="font-mono text-xs break-all">{route.field}</code>
                <span className="block text-xs text-ink-3">{route.problem}</span>
              </Cell>
              <Cell>
                <InvalidRouteMark route={route} />
              </Cell>
              <Cell className="font-mono text-xs">{route.gateways.join(', ')}</Cell>
            </tr>
          ))}
        </tbody>
      </Table>
    </Panel>
  );
}

/** What requests to the host of an invalid route meet. */
export function InvalidRouteMark({ route: { serves } }: { route: Pick<InvalidRoute, 'serves'> }) {
  return serves ? <Pill tone="warn">former route</Pill> : <Pill tone="bad">no route</Pill>;
}
