import { type Clock, createMetrics, type Logger, newId } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { configuredRuntime } from '../app.ts';
import type { OrchestratorConfig } from '../config.ts';
import { createLogCollector } from '../logs/collector.ts';
import { createOrchestratorMetrics } from '../metrics.ts';
import { createAsk } from '../probes/ask.ts';
import { networkProber } from '../probes/probe.ts';
import { execute } from '../reconcile/execute.ts';
import type { Execution } from '../reconcile/execution.ts';
import { createWorld } from '../reconcile/world.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { acquireLease, LEASE_NAME, type LeaseRequest, resignLease } from '../store/lease.ts';
import { createLedger } from '../store/ledger.ts';
import { createLogStore } from '../store/log-store.ts';
import { createReads } from '../store/reads.ts';

export interface StopAllOptions {
  readonly config: OrchestratorConfig;
  readonly databaseUrl: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Docker as configured, unless another is given. */
  readonly runtime?: Runtime;
}

export interface StopAllResult {
  readonly stopped: number;
  /** False when the store could not be had: the containers are stopped, and accounted for by the next start. */
  readonly accounted: boolean;
}

/**
 * Stops every container of the installation, for `skyrun down`; what should run is untouched, so a later start brings
 * it back. Call it after the orchestrators are stopped: it takes their lease, and gives up on the store when it
 * cannot. Throws RuntimeError `unavailable` when the engine does not answer.
 */
export async function stopAllContainers(options: StopAllOptions): Promise<StopAllResult> {
  const { config, databaseUrl, clock, logger } = options;
  const runtime = options.runtime ?? configuredRuntime(options);
  const db = createDatabase({
    url: databaseUrl,
    schema: 'orchestrator',
    applicationName: 'skyrun-down',
    logger,
    clock,
  });
  const request = { name: LEASE_NAME, holder: newId('instance', clock), ttlMs: LEASE_MS };
  const stopped = (await runtime.list()).length;
  try {
    const term = await takeLease(db, request, clock, config.SKYRUN_LEASE_TTL_MS * 2);
    if (term === null) throw new Error('another orchestrator leads');
    await stopAccounted({ ...options, runtime, db, term });
    await resignLease(db, request, term);
    await runtime.tidy(new Set());
    return { stopped, accounted: true };
  } catch (error) {
    logger.warn({ error }, 'stopping containers without the store; they are accounted for at the next start');
    await stopOnly(runtime);
    return { stopped, accounted: false };
  } finally {
    await db.close();
  }
}

/** Long enough for every container to end within its grace. */
const LEASE_MS = 15 * 60_000;

async function takeLease(db: Database, request: LeaseRequest, clock: Clock, withinMs: number): Promise<bigint | null> {
  const end = clock.monotonic() + withinMs;
  for (;;) {
    const term = await acquireLease(db, request);
    if (term !== null || clock.monotonic() > end) return term;
    await clock.sleep(100);
  }
}

interface StopAccounted extends StopAllOptions {
  readonly runtime: Runtime;
  readonly db: Database;
  readonly term: bigint;
}

async function stopAccounted({ runtime, db, term, clock, logger, config }: StopAccounted): Promise<void> {
  const reads = createReads(db);
  const world = createWorld(await reads.activeInstances(), await reads.verdicts());
  world.observe(await runtime.list(), null, clock.now());
  const failed: unknown[] = [];
  const { signal } = new AbortController();
  const logs = await createLogCollector({ runtime, store: createLogStore(db), term, clock, logger, signal });
  const execution: Execution = {
    logs,
    world,
    runtime,
    ledger: createLedger({ db, clock, term }),
    ask: createAsk(networkProber, runtime, world.publishedPort),
    clock,
    logger,
    metrics: createOrchestratorMetrics(createMetrics()),
    node: config.SKYRUN_NODE,
    signal,
    background: (task) => void task.catch((error: unknown) => failed.push(error)),
    onReady: () => undefined,
    waiting: () => null,
    wake: () => undefined,
  };
  const steps = [
    ...[...world.entries.keys()].map((instanceId) =>
      execute(execution, { kind: 'stop', instanceId, reason: 'PlatformStopped' }),
    ),
    ...[...world.strays.keys()].map((instanceId) => execute(execution, { kind: 'discard', instanceId })),
  ];
  await Promise.all(steps);
  const left = await runtime.list();
  if (left.length > 0) throw new Error(`${left.length} containers are left`);
}

/** Leaves the ended containers where they are: their times are the only record of them. */
async function stopOnly(runtime: Runtime): Promise<void> {
  const found = await runtime.list();
  await Promise.all(
    found.map(({ identity }) =>
      runtime.stop(identity.instanceId, { graceMs: identity.terminationGraceSeconds * 1000, remove: false }),
    ),
  );
}
