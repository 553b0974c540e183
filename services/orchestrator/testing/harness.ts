import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBus, MemoryBroker } from '@skyrun/bus';
import { type AnyEvent, type Instance, LATENCY_BOUNDS_MS, OPERATIONS, type TrafficReport } from '@skyrun/contracts';
import {
  type Authenticator,
  type Client,
  createClient,
  createHttpServer,
  createMetrics,
  isoTime,
  type Logger,
  loadConfig,
  silentLogger,
  systemClock,
} from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { createOrchestratorService } from '../app.ts';
import { orchestratorConfig } from '../config.ts';
import type { Prober } from '../probes/probe.ts';
import type { DesiredRevision } from '../reconcile/records.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { createFakeRegistry, type FakeRegistry } from './desired.ts';

/** Everybody may do everything: what is tested here is not access. */
const openDoor: Authenticator = {
  authenticate: async () => ({
    kind: 'internal',
    userId: '',
    email: '',
    admin: true,
    expiresAt: Number.POSITIVE_INFINITY,
  }),
  can: async () => true,
};

type RevisionReport = TrafficReport['revisions'][number];

export interface ReportFields extends Pick<RevisionReport, 'waitingMs' | 'traceparent' | 'coldStarts'> {
  readonly current?: number;
  readonly windowMs?: number;
  readonly requests?: number;
}

export interface Harness {
  readonly client: Client;
  readonly registry: FakeRegistry;
  readonly db: Database;
  /** Every event published since the start of the harness, of all orchestrators on its broker. */
  readonly events: AnyEvent[];
  /** Sends the orchestrator a traffic report, as a gateway does. */
  report(revision: DesiredRevision, fields?: ReportFields): Promise<void>;
  /** As the API lists them. */
  instances(project: string, service: string): Promise<{ items: Instance[] }>;
  /** Resolves with the first value that is neither null, undefined nor false. */
  until<Value>(
    what: string,
    look: () => Value | null | undefined | false | Promise<Value | null | undefined | false>,
  ): Promise<Value>;
  stop(): Promise<void>;
}

export interface HarnessOptions {
  readonly databaseUrl: string;
  readonly runtime: Runtime;
  readonly prober: Prober;
  readonly registry?: FakeRegistry;
  readonly broker?: MemoryBroker;
  readonly leaseTtlMs?: number;
  /** Silent, unless another is given. */
  readonly logger?: Logger;
}

const PATIENCE_MS = 45_000;
let sequence = 0;

/** One whole orchestrator on real PostgreSQL, with a registry and a bus in memory. */
export async function startHarness(options: HarnessOptions): Promise<Harness> {
  const { databaseUrl, runtime, prober, registry = createFakeRegistry(), broker = new MemoryBroker() } = options;
  const { logger = silentLogger } = options;
  const clock = systemClock;
  const metrics = createMetrics();
  const db = createDatabase({ url: databaseUrl, schema: 'orchestrator', applicationName: 'orchestrator-test', logger });
  const bus = await createBus({ kind: 'memory', broker, clock, logger });
  const events: AnyEvent[] = [];
  await bus.subscribe({
    group: 'harness',
    ephemeral: true,
    types: ['skyrun.*'],
    handler: async (event) => {
      events.push(event);
    },
  });
  const config = {
    ...loadConfig(orchestratorConfig, {}),
    SKYRUN_NODE: 'test',
    SKYRUN_LEASE_TTL_MS: options.leaseTtlMs ?? 2000,
  };
  const { client: registryClient } = registry;
  const orchestrator = createOrchestratorService({
    config,
    databaseUrl,
    bus,
    registry: registryClient,
    runtime,
    prober,
    clock,
    logger,
    metrics,
  });
  const http = createHttpServer({
    modules: [orchestrator],
    authenticator: openDoor,
    logger,
    clock,
    metrics,
    host: '127.0.0.1',
    port: 0,
  });
  const { port } = await http.listen();
  await orchestrator.start();
  const client = createClient({ baseUrl: `http://127.0.0.1:${port}`, token: () => 'any' });
  let stopped: Promise<void> | undefined;

  return {
    client,
    registry,
    db,
    events,
    async report({ revision }, { current = 1, windowMs = 1000, requests = current, ...more } = {}) {
      sequence += 1;
      const latencyBuckets = LATENCY_BOUNDS_MS.map(() => 0).concat(0);
      latencyBuckets[3] = requests;
      const body: TrafficReport = {
        gateway: 'test-gateway',
        sequence,
        at: isoTime(clock.now()),
        windowMs,
        revisions: [
          {
            revisionId: revision.id,
            concurrency: windowMs === 0 ? 0 : current,
            current,
            queued: windowMs === 0 ? current : 0,
            requests,
            statusClasses: { '1xx': 0, '2xx': requests, '3xx': 0, '4xx': 0, '5xx': 0 },
            latencyBuckets,
            ...more,
          },
        ],
      };
      await client.call(OPERATIONS.reportTraffic, { body });
    },
    instances: (project, service) => client.call(OPERATIONS.listInstances, { params: { project, service } }),
    async until(what, look) {
      const end = clock.monotonic() + PATIENCE_MS;
      for (;;) {
        const value = await look();
        if (value !== null && value !== undefined && value !== false) return value;
        if (clock.monotonic() > end) throw new Error(`not within ${PATIENCE_MS} ms: ${what}`);
        await clock.sleep(10);
      }
    },
    stop() {
      stopped ??= (async () => {
        const closed = http.close(100);
        await orchestrator.stop();
        await closed;
        await bus.close();
        await db.close();
      })();
      return stopped;
    },
  };
}

/** A port of this machine on which something listens, for those who must not reach it. */
export async function listenOnLoopback(): Promise<{ port: number; close(): void }> {
  const server = createServer((_request, response) => response.end('control plane'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  return { port: address.port, close: () => server.close() };
}
