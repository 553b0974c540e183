import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  AnyEvent,
  GatewayView,
  Route,
  RouteFrame,
  RouteTarget,
  TeamRoute,
  TrafficReport,
  UnreadRouteFrame,
} from '@skyrun/contracts';
import { FEED_HEARTBEAT_MS, frameParts, gatewayCalls, gatewayView, trafficReport } from '@skyrun/contracts';
import { createClient, silentLogger, systemClock } from '@skyrun/kit';
import { createGateway, type Gateway, type GatewayDeps } from '../app.ts';
import { unitPricesWith } from './unit-prices.ts';

export const IDS = {
  service: 'svc_01890000-0000-7000-8000-000000000001',
  revision: 'rev_01890000-0000-7000-8000-000000000001',
};

export function instanceId(number: number): string {
  return `ins_01890000-0000-7000-8000-${String(number).padStart(12, '0')}`;
}

export function target(ports: readonly number[], options: Partial<RouteTarget> = {}): RouteTarget {
  return {
    revisionId: IDS.revision,
    revisionName: 'hello-00001',
    percent: 100,
    protocol: 'http1',
    containerConcurrency: 0,
    timeoutMs: 10_000,
    maxScale: 10,
    billingMode: 'request',
    cpuMilli: 1000,
    memoryMib: 512,
    instances: ports.map((port) => ({ id: instanceId(port), address: '127.0.0.1', port, state: 'ready' as const })),
    ...options,
  };
}

export function route(targets: readonly RouteTarget[], host = 'hello.demo.localhost'): Route {
  return { host, project: 'demo', service: 'hello', serviceId: IDS.service, targets: [...targets] };
}

/** Registry, orchestrator, identity and billing over real HTTP, as far as a gateway knows them. */
export interface ControlPlane {
  readonly url: string;
  readonly reports: TrafficReport[];
  /** What gateways showed of themselves. */
  readonly views: GatewayView[];
  /** Sent to gateways that follow, and first to those that come. */
  publish(frame: RouteFrame): void;
  /** The same with routes that no registry of this version would send. */
  publishUnread(frame: UnreadRouteFrame): void;
  /** A delta with the next version, sent to gateways that follow. */
  change(upserts: readonly Route[], removes?: readonly string[]): void;
  /** What teams have registered. */
  register(routes: readonly TeamRoute[]): void;
  /** What the orchestrator answers to a report. */
  answerReports(status: number): void;
  onReport(listener: (report: TrafficReport) => void): void;
  /** Whom the orchestrator says that it resumed; nobody at first. */
  answerWakes(resumed: readonly unknown[]): void;
  /** How often it was asked to. */
  wakes(): number;
  close(): Promise<void>;
}

/** Without any, a gateway would ask every other second, and not once a minute. */
const IDENTITY_KEY = {
  ...generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }),
  alg: 'EdDSA',
  kid: 'test',
};

export async function startControlPlane(routes: readonly Route[]): Promise<ControlPlane> {
  const followers = new Set<ServerResponse>();
  const reports: TrafficReport[] = [];
  const views: GatewayView[] = [];
  const listeners = new Set<(report: TrafficReport) => void>();
  let status = 204;
  let teamRoutes: readonly TeamRoute[] = [];
  let resumed: readonly unknown[] = [];
  let wakes = 0;
  let current: UnreadRouteFrame = { kind: 'snapshot', epoch: 'test', version: 1, routes: [...routes] };
  let opening: readonly UnreadRouteFrame[] = [...frameParts({ ...current, routes: [...routes] })];
  let { version } = current;
  const beat = setInterval(() => {
    for (const follower of followers) {
      follower.write(`${JSON.stringify({ kind: 'heartbeat', epoch: current.epoch, version: current.version })}\n`);
    }
  }, FEED_HEARTBEAT_MS);
  const send = (frame: UnreadRouteFrame, parts: readonly UnreadRouteFrame[]) => {
    if (frame.kind === 'snapshot') {
      current = frame;
      opening = parts;
    }
    version = frame.version;
    for (const follower of followers) {
      for (const part of parts) follower.write(`${JSON.stringify(part)}\n`);
    }
  };
  const publish = (frame: RouteFrame) => send(frame, [...frameParts(frame)]);
  const body = async (request: IncomingMessage) => {
    let text = '';
    for await (const chunk of request) text += String(chunk);
    return text;
  };
  const server = createServer(async (request, response) => {
    if (request.url?.startsWith('/internal/v1/routes')) {
      response.writeHead(200, { 'content-type': 'application/x-ndjson' });
      for (const part of opening) response.write(`${JSON.stringify(part)}\n`);
      followers.add(response);
      response.on('close', () => followers.delete(response));
    } else if (request.url === '/internal/v1/traffic') {
      const report = trafficReport.parse(JSON.parse(await body(request)));
      if (status === 204) {
        reports.push(report);
        for (const listener of listeners) listener(report);
      }
      response.writeHead(status).end();
    } else if (request.url?.startsWith('/internal/v1/gateways/')) {
      views.push(gatewayView.parse(JSON.parse(await body(request))));
      response.writeHead(204).end();
    } else if (request.url === '/internal/v1/wake') {
      wakes += 1;
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ resumed }));
    } else if (request.url === '/api/v1/auth/keys') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ keys: [IDENTITY_KEY] }));
    } else if (request.url === gatewayCalls.syncApiKeys.path) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ version: 'none', keys: [] }));
    } else if (request.url === gatewayCalls.listUnitPrices.path) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify(unitPricesWith('0.000024')));
    } else if (request.url === '/internal/v1/team-routes') {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ items: teamRoutes }));
    } else {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ path: request.url, method: request.method, body: await body(request) }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    reports,
    views,
    publish,
    publishUnread: (frame) => send(frame, [frame]),
    change: (upserts, removes = []) =>
      publish({
        kind: 'delta',
        epoch: current.epoch,
        version: version + 1,
        upserts: [...upserts],
        removes: [...removes],
      }),
    register(routes) {
      teamRoutes = routes;
    },
    answerReports(next) {
      status = next;
    },
    onReport: (listener) => listeners.add(listener),
    answerWakes(next) {
      resumed = next;
    },
    wakes: () => wakes,
    close: () =>
      new Promise((resolve) => {
        clearInterval(beat);
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface PreparedGateway {
  readonly gateway: Gateway;
  readonly dataDir: string;
  readonly published: AnyEvent[];
  readonly control: ControlPlane;
  close(): Promise<void>;
}

export interface RunningGateway extends PreparedGateway {
  readonly port: number;
}

/** A gateway on a free port with a control plane of its own. */
export async function startGateway(
  routes: readonly Route[],
  overrides: Partial<GatewayDeps> = {},
): Promise<RunningGateway> {
  const prepared = await prepareGateway(routes, overrides);
  try {
    await prepared.gateway.start();
  } catch (error) {
    await prepared.close();
    throw error;
  }
  return { ...prepared, port: prepared.gateway.address().port };
}

/** The same, not started yet. */
export async function prepareGateway(
  routes: readonly Route[],
  overrides: Partial<GatewayDeps> = {},
): Promise<PreparedGateway> {
  const control = await startControlPlane(routes);
  const dataDir = overrides.dataDir ?? (await mkdtemp(join(tmpdir(), 'skyrun-gateway-')));
  const published: AnyEvent[] = [];
  const client = createClient({ baseUrl: control.url });
  const gateway = createGateway({
    id: 'test',
    host: '127.0.0.1',
    port: 0,
    adminPort: 0,
    reusePort: false,
    baseDomain: 'localhost',
    dataDir,
    uiDir: join(dataDir, 'no-ui'),
    platform: {
      identity: control.url,
      registry: control.url,
      orchestrator: control.url,
      events: control.url,
      billing: control.url,
    },
    registry: client,
    orchestrator: client,
    billing: client,
    identity: client,
    events: client,
    sharedBuckets: null,
    bus: {
      publish: async (events) => {
        published.push(...events);
      },
    },
    clock: systemClock,
    logger: silentLogger,
    ...overrides,
    // Clients of tests leave idle connections behind, which no stop should wait for.
    limits: { drainIdleMs: 0, ...overrides.limits },
  });
  return {
    gateway,
    dataDir,
    published,
    control,
    async close() {
      await gateway.stop();
      await control.close();
      if (overrides.dataDir === undefined) await rm(dataDir, { recursive: true, force: true });
    },
  };
}
