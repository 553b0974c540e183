import type { EventBus, Subscription } from '@skyrun/bus';
import { OPERATIONS } from '@skyrun/contracts';
import {
  type Client,
  type Clock,
  ConfigError,
  type Logger,
  type Metrics,
  newId,
  type ServiceModule,
} from '@skyrun/kit';
import { createDatabase, createOutboxRelay } from '@skyrun/postgres';
import type { OrchestratorConfig } from './config.ts';
import { followDesired } from './desired/follow-desired.ts';
import { createLeadership } from './leadership/leadership.ts';
import { createOrchestratorMetrics } from './metrics.ts';
import { networkProber, type Prober } from './probes/probe.ts';
import { type Leader, leadTerm } from './reconcile/leader.ts';
import { createRoutes } from './routes.ts';
import { createDockerRuntime } from './runtime/docker/docker-runtime.ts';
import type { Runtime } from './runtime/runtime.ts';
import { createSwarmRuntime } from './runtime/swarm/swarm-runtime.ts';
import { withSecrets } from './runtime/with-secrets.ts';
import { createGatewayViews } from './store/gateway-views.ts';
import { createHandover } from './store/handover.ts';
import { createLogStore, type LogRetention } from './store/log-store.ts';
import { createMetricsStore } from './store/metrics-store.ts';
import { createReads } from './store/reads.ts';
import { createStartStore } from './store/start-store.ts';
import { takeHandedOver } from './traffic/handed-over.ts';
import { createTrafficIntake } from './traffic/intake.ts';

export interface OrchestratorDeps {
  readonly config: OrchestratorConfig;
  readonly databaseUrl: string;
  /** The caller closes it. */
  readonly bus: EventBus;
  /** Client of the registry, with the internal token. */
  readonly registry: Client;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Docker as configured, unless another is given. */
  readonly runtime?: Runtime;
  /** Over the network, unless another is given. */
  readonly prober?: Prober;
}

/** For a revision that the registry has not told of yet; longer windows than known ones cost only memory. */
const UNKNOWN_WINDOW_SECONDS = 600;

/** What should run, from the registry; what does, from the runtime; and the steps from one to the other. */
export function createOrchestratorService(deps: OrchestratorDeps): ServiceModule {
  const { config, databaseUrl, bus, registry, clock, logger } = deps;
  const db = createDatabase({
    url: databaseUrl,
    schema: 'orchestrator',
    applicationName: 'skyrun-orchestrator',
    poolSize: 20,
    logger,
    clock,
  });
  const metrics = createOrchestratorMetrics(deps.metrics);
  const runtime = withSecrets(deps.runtime ?? configuredRuntime({ config, clock, logger }), registry);
  const prober = deps.prober ?? networkProber;
  const reads = createReads(db);
  const relay = createOutboxRelay({ db, bus, clock, logger });
  let leader: Leader | null = null;
  let subscription: Subscription | undefined;
  let stopTaking: (() => void) | null = null;
  let started = false;

  const desired = followDesired({ registry, clock, logger, onChange: () => leader?.desiredChanged() });
  const intake = createTrafficIntake({
    windowMs(revisionId) {
      const scaling = desired.current()?.get(revisionId)?.revision.template.scaling;
      return (scaling?.stableWindowSeconds ?? UNKNOWN_WINDOW_SECONDS) * 1000;
    },
  });
  const handover = createHandover(db);
  const leadership = createLeadership({
    db,
    clock,
    logger,
    holder: newId('instance', clock),
    ttlMs: config.SKYRUN_LEASE_TTL_MS,
    lead: (term) =>
      leadTerm(
        {
          db,
          runtime,
          prober,
          intake,
          bus,
          clock,
          logger,
          metrics,
          node: config.SKYRUN_NODE,
          logRetention: logRetention(config),
          desired: desired.current,
        },
        term,
        (current) => {
          leader = current;
          stopTaking?.();
          stopTaking = current && takeHandedOver({ handover, intake, leader: current, clock, logger });
          metrics.leads(current !== null);
        },
      ),
  });

  return {
    name: 'orchestrator',
    api: createRoutes({
      desired,
      reads,
      metrics: createMetricsStore(db),
      logs: createLogStore(db),
      starts: createStartStore(db),
      runtime,
      intake,
      handover,
      gatewayViews: createGatewayViews(db),
      clock,
      logger,
      leader: () => leader,
      started: () => started,
    }),
    async start() {
      await db.migrate(new URL('./migrations/', import.meta.url));
      await relay.start();
      desired.start();
      // Every process has its own copy: whichever leads must be woken. Events are only wake-ups.
      subscription = await bus.subscribe({
        group: 'orchestrator',
        ephemeral: true,
        types: ['skyrun.service.*', 'skyrun.revision.created.v1'],
        handler: async () => desired.wake(),
      });
      leadership.start();
      started = true;
    },
    async stop() {
      started = false;
      await subscription?.close();
      await leadership.stop();
      await desired.stop();
      await relay.stop();
      await db.close();
    },
    ready() {
      const checks = {
        registry: desired.answers() ? 'ok' : `no answer to ${OPERATIONS.getDesired.id} yet`,
        leadership: leadership.isLeader() ? 'ok: leads' : 'ok: stands by',
        // Said, and no reason to be taken out of service: `auto` allows it.
        ...(runtime.networkRules ? { 'network rules': runtime.networkRules() } : {}),
      };
      return { ok: started && desired.current() !== null, checks };
    },
  };
}

function logRetention(config: OrchestratorConfig): LogRetention {
  const { SKYRUN_LOG_RETENTION_HOURS: hours, SKYRUN_LOG_SERVICE_MIB: mebibytes } = config;
  return { maxAgeMs: hours * 3_600_000, maxServiceBytes: mebibytes * 1024 * 1024 };
}

/** The engine as the environment describes it. */
export function configuredRuntime({
  config,
  clock,
  logger,
}: Pick<OrchestratorDeps, 'config' | 'clock' | 'logger'>): Runtime {
  const common = {
    installation: config.SKYRUN_INSTALLATION,
    networkPool: config.SKYRUN_NETWORK_POOL,
    networkPrefix: config.SKYRUN_NETWORK_PREFIX,
    pidsLimit: config.SKYRUN_PIDS_LIMIT,
    clock,
    logger,
  };
  const socketPath = config.SKYRUN_DOCKER_SOCKET;
  if (config.SKYRUN_RUNTIME === 'docker') {
    return createDockerRuntime({
      ...common,
      socketPath,
      egress: config.SKYRUN_TENANT_EGRESS,
      networkRules: config.SKYRUN_NETWORK_RULES,
      deniedRanges: config.SKYRUN_DENIED_RANGES,
    });
  }
  if (!config.SKYRUN_TENANT_EGRESS) {
    throw new ConfigError(
      'SKYRUN_TENANT_EGRESS=false: Swarm cannot publish a port of a closed network; use the docker runtime',
    );
  }
  return createSwarmRuntime({ ...common, managerAddress: socketPath, engineAddresses: config.SKYRUN_SWARM_ENGINES });
}
