import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from '@skyrun/kit';
import { nodeHttp, type Readiness } from '@skyrun/kit/base';
import type { Feeds } from '../feed/feeds.ts';
import type { ConnectionGate } from '../limit/connection-gate.ts';
import type { GatewayCore } from '../pipeline/core.ts';
import type { Destination } from '../pipeline/destination.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { Viewer } from '../view/viewer.ts';

/** The operator's view of one gateway process, on loopback only. */
export function createAdminServer(options: {
  openMetrics: () => Promise<Metrics>;
  table: RouteTable;
  invalidRoutes: Feeds['invalidRoutes'];
  ready: () => Readiness;
}): {
  listen(port: number): Promise<AddressInfo>;
  close(): Promise<void>;
} {
  const { openMetrics, table, invalidRoutes, ready } = options;
  let opened: Promise<Metrics> | undefined;
  const json = (response: ServerResponse, status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
  };
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    switch (request.url?.split('?')[0]) {
      case '/healthz':
        json(response, 200, { ok: true });
        return;
      case '/readyz': {
        const readiness = ready();
        json(response, readiness.ok ? 200 : 503, readiness);
        return;
      }
      case '/metrics': {
        opened ??= openMetrics();
        const { registry } = await opened;
        response.writeHead(200, { 'content-type': registry.contentType }).end(await registry.metrics());
        return;
      }
      case '/debug/routes':
        json(response, 200, { routes: [...table.entries()].map(describe), invalid: invalidRoutes.list() });
        return;
      default:
        json(response, 404, { code: 'resource.not_found' });
    }
  };
  const server: Server = nodeHttp.createServer((request, response) => {
    answer(request, response).catch(() => response.destroy());
  });
  return {
    listen: (port) =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: '127.0.0.1', port }, () => resolve(server.address() as AddressInfo));
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function describe({
  route,
  shares,
}: {
  route: { host: string; service: string; project: string };
  shares: readonly { percent: number; destination: Destination }[];
}) {
  return {
    host: route.host,
    project: route.project,
    service: route.service,
    targets: shares.map(({ percent, destination }) => ({
      percent,
      revision: destination.name,
      waiting: destination.room.size,
      current: destination.traffic.current,
      instances: destination.instances.map((instance) => ({
        id: instance.id,
        address: `${instance.address}:${instance.port}`,
        ready: instance.ready,
        inFlight: instance.inFlight,
        idleConnections: instance.upstreams.idle,
        breaker: instance.breaker.closed ? 'closed' : 'open',
        failures: instance.breaker.failures,
      })),
    })),
  };
}

/**
 * Reads the counters when Prometheus asks, so that requests pay nothing for it. What has no traffic is not looked at: there may
 * be very many routes.
 */
export function registerMetrics(
  metrics: Metrics,
  seen: {
    readonly core: GatewayCore;
    readonly gate: ConnectionGate;
    readonly table: RouteTable;
    readonly invalidRoutes: Feeds['invalidRoutes'];
    readonly viewer: Pick<Viewer, 'totals' | 'ejected'>;
  },
): void {
  const { core, gate, table, invalidRoutes, viewer } = seen;
  const classes = ['1xx', '2xx', '3xx', '4xx', '5xx'] as const;
  const requests = metrics.counter('skyrun_gateway_requests_total', 'Requests that ended, by status class', ['class']);
  const connections = metrics.gauge('skyrun_gateway_connections', 'Client connections that are open');
  const { stats } = core;
  metrics.counted('skyrun_gateway_connections_total', 'Client connections accepted', () => stats.connections);
  metrics.counted('skyrun_gateway_refused_total', 'Malformed or late requests', () => stats.refused);
  metrics.counted('skyrun_gateway_limited_total', 'Requests beyond a rate limit', () => stats.limited);
  metrics.counted('skyrun_gateway_handshake_errors_total', 'TLS handshakes that failed', () => stats.handshakeErrors);
  metrics.counted('skyrun_gateway_connections_turned_away_total', 'Connections beyond a cap', () => gate.turnedAway);
  metrics.counted(
    'skyrun_gateway_repeats_total',
    'Requests sent again after a broken connection',
    () => stats.repeated,
  );
  metrics.counted(
    'skyrun_gateway_repeats_refused_total',
    'Requests not sent again because too many of their service had failed',
    () => stats.unrepeated,
  );
  const inFlight = metrics.gauge('skyrun_gateway_in_flight', 'Requests in flight or waiting');
  const waiting = metrics.gauge('skyrun_gateway_waiting', 'Requests that wait for an instance');
  const routes = metrics.gauge('skyrun_gateway_routes', 'Hosts in the route table');
  const invalid = metrics.gauge(
    'skyrun_gateway_invalid_routes',
    'Routes of the registry that could not be taken as they came, by what their hosts have instead',
    ['instead'],
  );
  const instances = metrics.gauge('skyrun_gateway_instances', 'Instances by what their breaker does', ['breaker']);
  const gather = () => {
    requests.reset();
    for (const [index, name] of classes.entries()) requests.inc({ class: name }, stats.ended[index] ?? 0);
    connections.set(core.connections.size);
    routes.set(table.size);
    invalid.set({ instead: 'former' }, invalidRoutes.serving);
    invalid.set({ instead: 'none' }, invalidRoutes.count - invalidRoutes.serving);
    const totals = viewer.totals();
    inFlight.set(totals.inFlight);
    waiting.set(totals.waiting);
    const open = viewer.ejected;
    instances.set({ breaker: 'closed' }, table.instances - open);
    instances.set({ breaker: 'open' }, open);
  };
  const text = metrics.registry.metrics.bind(metrics.registry);
  metrics.registry.metrics = () => {
    gather();
    return text();
  };
}
