import { type Clock, createTicker, type Logger, type Ticker } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import { createAutoscaler } from '../autoscale/autoscaler.ts';
import { createCustomMetrics } from '../autoscale/custom-metrics.ts';
import type { Term } from '../leadership/leadership.ts';
import { createLogCollector, type LogCollector } from '../logs/collector.ts';
import type { OrchestratorMetrics } from '../metrics.ts';
import { createAsk } from '../probes/ask.ts';
import type { Prober } from '../probes/probe.ts';
import { fencedRuntime } from '../runtime/fenced.ts';
import type { Runtime } from '../runtime/runtime.ts';
import type { WaitingRequest } from '../starts/trace-start.ts';
import { createLedger } from '../store/ledger.ts';
import { createLogStore, deleteExpiredLogs, type LogRetention } from '../store/log-store.ts';
import { createMetricsStore } from '../store/metrics-store.ts';
import { createReads } from '../store/reads.ts';
import { deleteExpired } from '../store/retention.ts';
import type { TrafficIntake } from '../traffic/intake.ts';
import { createTrafficRecorder, type TrafficPublisher } from '../traffic/recorder.ts';
import { restoreTraffic } from '../traffic/restore.ts';
import { createInstanceSamples } from '../usage/instance-samples.ts';
import { sampleUsage } from '../usage/sampler.ts';
import { lastBoundary, USAGE_WINDOW_MS } from '../usage/windows.ts';
import { execute } from './execute.ts';
import type { Execution } from './execution.ts';
import { noteFirstByte } from './first-byte.ts';
import { createLooks } from './looks.ts';
import { LOOK_AGAIN_MS } from './next-look.ts';
import { createPlanner } from './planner.ts';
import type { DesiredRevision, InstanceRecord } from './records.ts';
import { recover } from './recover.ts';
import { wakeUp } from './wake-up.ts';
import { createWorld } from './world.ts';

export interface LeaderOptions {
  readonly db: Database;
  readonly runtime: Runtime;
  readonly prober: Prober;
  readonly intake: TrafficIntake;
  readonly bus: TrafficPublisher;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly node: string;
  readonly metrics: OrchestratorMetrics;
  readonly logRetention: LogRetention;
  /** The store's, unless another is given. */
  readonly openLedger?: typeof createLedger;
  /** What the registry last said; null until it has. */
  desired(): ReadonlyMap<string, DesiredRevision> | null;
}

/** What the rest of the process tells the one that leads. */
export interface Leader {
  desiredChanged(): void;
  /** A request waits for the revision and nothing runs. */
  activate(revisionId: string): void;
  /** Requests of the revision ended; none is under way. */
  trafficSeen(revisionId: string): void;
  /** A request waits for the revision and an instance of it is paused: answers with those that take requests now. */
  wakeUp(revisionId: string, waiting: WaitingRequest): Promise<InstanceRecord[]>;
  /** A request that waited for the instance's start got its first byte so long after it came. */
  firstByte(instanceId: string, totalMs: number): Promise<void>;
}

const LOGS_EVERY_MS = 500;
const JUDGE_EVERY_MS = 1_000;
const RECORD_EVERY_MS = 1_000;
const SAMPLES_EVERY_MS = 1_000;
const CUSTOM_EVERY_MS = 5_000;
const TIDY_EVERY_MS = 60_000;
/** After a boundary, so that the engine's answer covers all of the window. */
const SAMPLE_AFTER_MS = 100;

/**
 * The leader's work for one term: observe → plan → execute, judge, measure, account. Nothing of it is kept from one
 * term to the next but what the store and the engine hold.
 */
export async function leadTerm(given: LeaderOptions, term: Term, onLeading: (leader: Leader | null) => void) {
  const options = { ...given, runtime: fencedRuntime(given.runtime, term.assertHeld) };
  const { db, runtime, clock, logger, intake } = options;
  const { signal } = term;
  const reads = createReads(db);
  const ledger = (given.openLedger ?? createLedger)({ db, clock, term: term.number });
  const [records, verdicts] = await Promise.all([reads.activeInstances(), reads.verdicts()]);
  const world = createWorld(records, verdicts);
  const logStore = createLogStore(db);
  const logs = await createLogCollector({ runtime, store: logStore, term: term.number, clock, logger, signal });
  const adopted = new Set(records.map(({ revisionId }) => revisionId));
  for (const revisionId of adopted) intake.touch(revisionId, clock.now());
  const tasks = new Set<Promise<void>>();
  const background = (task: Promise<void>) => {
    const tracked = task.finally(() => tasks.delete(tracked));
    tasks.add(tracked);
  };

  const { inFlight } = intake;
  const planner = createPlanner({ world, can: runtime.supports, inFlight });
  let queued = false;
  // What runs without a row would be started a second time before it is seen.
  let seen = false;
  const reconcile = () => {
    queued = false;
    if (signal.aborted || !seen) return;
    for (const step of planner.plan(clock.now())) background(execute(execution, step));
  };
  // Many reasons to plan in one turn make one plan.
  const wake = (revisionIds: Iterable<string> = []) => {
    for (const revisionId of revisionIds) planner.changed(revisionId);
    if (queued) return;
    queued = true;
    queueMicrotask(reconcile);
  };

  const execution: Execution = {
    world,
    runtime,
    ledger,
    logs,
    ask: createAsk(options.prober, runtime, world.publishedPort),
    clock,
    logger,
    metrics: options.metrics,
    node: options.node,
    signal,
    background,
    wake: (revisionId) => wake([revisionId]),
    onReady: (record) => intake.touch(record.revisionId, clock.now()),
    waiting: (revisionId) => intake.waiting(revisionId, clock.now()),
  };
  const samples = createInstanceSamples({ world, runtime, bus: options.bus, clock, logger });
  const custom = createCustomMetrics({ world, clock });
  const scaling = { adopted, background, samples, custom, changes: await reads.lastDecisions() };
  const autoscaler = createAutoscaler({ world, intake, ledger, clock, logger, ...scaling });
  await restoreTraffic(createMetricsStore(db), intake, clock.now());
  const recorder = createTrafficRecorder({
    world,
    intake,
    metrics: createMetricsStore(db),
    bus: options.bus,
    clock,
    logger,
  });

  const look = async (instanceId: string | null) => {
    const at = clock.now();
    const found = await runtime.list(instanceId ?? undefined);
    const news = world.observe(found, instanceId, at);
    seen ||= instanceId === null;
    wake(news);
  };
  const takeDesired = () => {
    for (const revisionId of planner.desire(options.desired())) autoscaler.changed(revisionId);
    wake(autoscaler.evaluate());
  };

  const tickers = startTickers(options, [
    ['plan', LOOK_AGAIN_MS, async () => wake()],
    [
      'judge',
      JUDGE_EVERY_MS,
      async () => {
        wake(autoscaler.evaluate());
        await recover(execution);
        const count = countStates(world);
        options.metrics.instances(count('ready'), count('starting'), count('draining'));
      },
    ],
    ['samples', SAMPLES_EVERY_MS, () => samples.tick()],
    ['custom metrics', CUSTOM_EVERY_MS, () => custom.tick()],
    // Apart from judging: a broker that is away must not hold up scaling.
    ['record', RECORD_EVERY_MS, () => recorder.tick()],
    ['logs', LOGS_EVERY_MS, () => collect(logs, world)],
    ['tidy', TIDY_EVERY_MS, () => tidy(options, world)],
  ]);
  const busy = (instanceId: string) => (world.entries.get(instanceId)?.holds ?? 0) > 0;
  const looks = createLooks({ look, clock, logger, signal, background });
  background(watchEngine(options, signal, { news: looks.news, busy }));
  background(sampleForEver(options, signal, () => looks.atAll().then(() => sampleUsage({ world, ledger, logger }))));
  takeDesired();
  onLeading({
    desiredChanged: takeDesired,
    activate(revisionId) {
      const paused = [...world.of(revisionId)].some(({ record }) => record.state === 'paused');
      // One that is paused may have been sent a request all the same.
      if (autoscaler.activate(revisionId) || paused) wake([revisionId]);
    },
    trafficSeen: (revisionId) => autoscaler.changed(revisionId),
    wakeUp(revisionId, waiting) {
      intake.touch(revisionId, clock.now());
      intake.waits(revisionId, waiting);
      // The engine is asked before anything is judged and written: a request waits for its answer.
      const woken = wakeUp(execution, revisionId);
      autoscaler.wakeUp(revisionId);
      // Where none was paused, one is started.
      wake([revisionId]);
      return woken;
    },
    firstByte: (instanceId, totalMs) => noteFirstByte(execution, instanceId, totalMs),
  });
  try {
    await new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
  } finally {
    onLeading(null);
    // One of them may wait for an engine that hangs: who stands again must not wait for that too.
    await Promise.race([Promise.all(tickers.map((ticker) => ticker.stop())), clock.sleep(TICKS_END_WITHIN_MS)]);
    for (const { probe, health } of world.entries.values()) {
      probe?.abort();
      health?.abort();
    }
    await logs.stop();
    await recorder.flush().catch((error: unknown) => logger.warn({ error }, 'the last metrics were not written'));
    // Steps under way end by themselves; what they would write belongs to a term that is over, and is refused.
    await Promise.race([Promise.allSettled(tasks), clock.sleep(STEPS_END_WITHIN_MS)]);
  }
}

/** A stop that waits for a container's grace may go on: the engine ends it, and the next leader accounts for it. */
const STEPS_END_WITHIN_MS = 2_000;
const TICKS_END_WITHIN_MS = 2_000;

function countStates({ entries }: ReturnType<typeof createWorld>) {
  const byState = Map.groupBy(entries.values(), ({ record }) => record.state);
  return (state: InstanceRecord['state']) => byState.get(state)?.length ?? 0;
}

type TickerPlan = readonly [name: string, everyMs: number, run: () => Promise<void>];

function startTickers({ clock, logger }: LeaderOptions, plans: readonly TickerPlan[]): Ticker[] {
  return plans.map(([name, everyMs, run]) => {
    const ticker = createTicker({ name: `orchestrator.${name}`, clock, logger, everyMs, run });
    ticker.start();
    return ticker;
  });
}

async function watchEngine(
  { runtime }: LeaderOptions,
  signal: AbortSignal,
  { news, busy }: { news(instanceId: string | null): void; busy(instanceId: string): boolean },
): Promise<void> {
  for await (const { instanceId, did } of runtime.watch(signal)) {
    // Whoever starts it hears of that first hand, and has no time for another question to the engine.
    if (did !== undefined && instanceId !== null && busy(instanceId)) continue;
    news(instanceId);
  }
}

async function sampleForEver(
  { clock, logger }: LeaderOptions,
  signal: AbortSignal,
  sample: () => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const now = clock.now();
    const next = lastBoundary(now) + USAGE_WINDOW_MS + SAMPLE_AFTER_MS;
    try {
      await clock.sleep(next - now, signal);
      await sample();
    } catch (error) {
      if (!signal.aborted) logger.warn({ error }, 'usage was not sampled; the next sample makes up for it');
    }
  }
}

async function collect(logs: LogCollector, { entries }: ReturnType<typeof createWorld>): Promise<void> {
  for (const { record, container } of entries.values()) {
    if (typeof container !== 'string' && container.state === 'running') logs.follow(record);
  }
  await logs.tick();
}

async function tidy(
  { db, runtime, clock, intake, logRetention }: LeaderOptions,
  world: ReturnType<typeof createWorld>,
) {
  const { desired } = world;
  if (!desired) return;
  const projects = new Set([...desired.values()].map(({ revision }) => revision.project));
  for (const { record } of world.entries.values()) projects.add(record.project);
  await runtime.tidy(projects);
  intake.forget(new Set(desired.keys()));
  await deleteExpired(db, clock.now(), [...desired.keys()]);
  await deleteExpiredLogs(db, clock.now(), logRetention);
}
