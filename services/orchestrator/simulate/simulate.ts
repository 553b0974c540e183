import { LATENCY_BOUNDS_MS, type TrafficReport } from '@skyrun/contracts';
import { type Clock, isoTime, ManualClock, silentLogger } from '@skyrun/kit';
import { createAutoscaler } from '../autoscale/autoscaler.ts';
import { policyOf } from '../autoscale/policy.ts';
import { Agenda } from '../reconcile/agenda.ts';
import { createPlanner } from '../reconcile/planner.ts';
import type { DesiredRevision } from '../reconcile/records.ts';
import { createWorld } from '../reconcile/world.ts';
import { createTrafficIntake } from '../traffic/intake.ts';
import { createSimulatedEngine, type EngineCounts, type EngineTimes } from './engine.ts';
import type { Traffic } from './traffic.ts';

export interface SimulatedService {
  readonly desired: DesiredRevision;
  readonly traffic: Traffic;
}

export interface Simulation {
  readonly services: readonly SimulatedService[];
  /** How long it goes on, of simulated time; milliseconds. */
  readonly lastsMs: number;
  /** Unix milliseconds. */
  readonly from: number;
  readonly times?: EngineTimes;
  /** The real clock, by which the control loop's own cost is told. */
  readonly stopwatch: Pick<Clock, 'monotonic'>;
  /** The loop's cost is told from here on; from the beginning unless given. */
  readonly measureAfterMs?: number;
  /** After each decision. */
  onDecision?(decision: {
    readonly revisionId: string;
    readonly from: number;
    readonly to: number;
    readonly at: number;
  }): void;
  /** After each simulated second, while anything runs or is asked for. */
  onSecond?(second: {
    readonly revisionId: string;
    readonly at: number;
    readonly ready: number;
    readonly concurrency: number;
  }): void;
}

export interface Outcome {
  readonly simulatedMs: number;
  /** Of the control loop alone, by the stopwatch: reports taken in, judgements, plans. */
  readonly loopMs: number;
  readonly judgements: number;
  readonly decisions: number;
  readonly scaleUps: number;
  readonly scaleDowns: number;
  /** Decisions that took back the one before within a stable window. */
  readonly flaps: number;
  readonly starts: Readonly<EngineCounts>;
  /** Requests × seconds, of those under way and of those that waited for room. */
  readonly requestSeconds: number;
  readonly waitingSeconds: number;
  /** Instance × seconds: that were ready, and that the policy's target asked for at each moment. */
  readonly readySeconds: number;
  readonly neededSeconds: number;
  /** Seconds at zero × services. */
  readonly zeroSeconds: number;
}

const TICK_MS = 1_000;
const TYPICAL: EngineTimes = { createMs: 900, restartMs: 400, stopMs: 300 };
const NO_LATENCIES = new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0);
const NO_STATUS = { '1xx': 0, '2xx': 0, '3xx': 0, '4xx': 0, '5xx': 0 };

/**
 * A platform on a simulated clock: the product's own intake, autoscaler, planner and transitions, with one gateway that reports
 * each second and an engine that takes its times. Its cost is that of the services that are active, however many exist.
 */
export async function simulate(simulation: Simulation): Promise<Outcome> {
  const { services, lastsMs, from, times = TYPICAL, stopwatch } = simulation;
  const clock = new ManualClock(from);
  const world = createWorld([], []);
  const byId = new Map(services.map((service) => [service.desired.revision.id, service]));
  const policies = new Map(services.map(({ desired }) => [desired.revision.id, policyOf(desired.revision.template)]));
  const intake = createTrafficIntake({ windowMs: (id) => policies.get(id)?.stableWindowMs ?? 60_000 });
  const tally = { judgements: 0, decisions: 0, scaleUps: 0, scaleDowns: 0, flaps: 0 };
  const sums = { requestSeconds: 0, waitingSeconds: 0, readySeconds: 0, neededSeconds: 0, zeroSeconds: 0 };
  const last = new Map<string, { readonly at: number; readonly up: boolean }>();
  const autoscaler = createAutoscaler({
    world,
    intake: {
      ...intake,
      // Asked once for each judgement.
      current(revisionId, now) {
        tally.judgements += 1;
        return intake.current(revisionId, now);
      },
    },
    clock,
    logger: silentLogger,
    adopted: new Set(),
    background: () => undefined,
    ledger: {
      write({ decision }) {
        if (decision) note(decision.decision);
        return Promise.resolve();
      },
    },
  });
  const planner = createPlanner({
    world,
    can: { pause: true, restart: true },
    inFlight: (instanceId, revisionId, now) => intake.inFlight(instanceId, revisionId, now),
  });
  const engine = createSimulatedEngine({
    world,
    clock,
    times,
    onReady: (revisionId) => intake.touch(revisionId, clock.now()),
    onChange: (revisionId) => planner.changed(revisionId),
  });

  function note({ revisionId, from: before, to }: { revisionId: string; from: number; to: number }): void {
    const at = clock.now();
    const up = to > before;
    tally.decisions += 1;
    if (up) tally.scaleUps += 1;
    else tally.scaleDowns += 1;
    const known = last.get(revisionId);
    const window = policies.get(revisionId)?.stableWindowMs ?? 0;
    if (known && known.up !== up && at - known.at < window && Math.min(before, to) > 0) tally.flaps += 1;
    last.set(revisionId, { at, up });
    simulation.onDecision?.({ revisionId, from: before, to, at });
  }

  const levels = new Agenda();
  const concurrency = new Map<string, number>();
  /** Those with traffic, or with instances: all others are at rest at zero. */
  const awake = new Set<string>();
  let sequence = 0;
  let loopMs = 0;

  function changeLevels(now: number): void {
    for (const id of levels.take(now)) {
      const service = byId.get(id);
      if (!service) continue;
      const level = service.traffic(now);
      concurrency.set(id, level.concurrency);
      if (level.concurrency > 0) awake.add(id);
      levels.at(id, level.until);
    }
  }

  /** What the gateway saw in the last second, of those that had any request. */
  function report(now: number): TrafficReport {
    const revisions = [];
    for (const id of awake) {
      const current = concurrency.get(id) ?? 0;
      const policy = policies.get(id);
      const ready = [...world.of(id)].filter(({ record }) => record.state === 'ready');
      const service = byId.get(id);
      const perInstance = service?.desired.revision.template.containerConcurrency || Number.POSITIVE_INFINITY;
      const served = Math.min(current, ready.length * perInstance);
      sums.requestSeconds += current;
      sums.waitingSeconds += current - served;
      sums.readySeconds += ready.length;
      sums.neededSeconds += Math.max(policy?.minScale ?? 0, Math.ceil(current / (policy?.target ?? 1)));
      simulation.onSecond?.({ revisionId: id, at: now, ready: ready.length, concurrency: current });
      const idle = current === 0;
      if (idle && [...world.of(id)].length === 0) awake.delete(id);
      if (idle && intake.current(id, now) === 0) continue;
      revisions.push({
        revisionId: id,
        concurrency: current,
        current,
        queued: current - served,
        requests: served,
        statusClasses: NO_STATUS,
        latencyBuckets: NO_LATENCIES,
        instances: ready.map(({ record }) => ({ id: record.instanceId, current: Math.ceil(served / ready.length) })),
      });
    }
    sums.zeroSeconds += services.length - awake.size;
    sequence += 1;
    return { gateway: 'simulated', sequence, at: isoTime(now), windowMs: TICK_MS, revisions };
  }

  function loop(body: TrafficReport, now: number): void {
    intake.accept(body, now);
    for (const { revisionId, current } of body.revisions) {
      if (current === 0) autoscaler.changed(revisionId);
      else if (autoscaler.activate(revisionId)) planner.changed(revisionId);
    }
    for (const revisionId of autoscaler.evaluate()) planner.changed(revisionId);
    // Steps that end at once make room for the next.
    for (let steps = planner.plan(now); steps.length > 0; steps = planner.plan(now)) {
      for (const step of steps) engine.execute(step);
    }
  }

  for (const revisionId of planner.desire(new Map(services.map(({ desired }) => [desired.revision.id, desired])))) {
    autoscaler.changed(revisionId);
    levels.mark(revisionId);
  }
  for (const { desired } of services)
    if (desired.revision.template.scaling.minScale > 0) awake.add(desired.revision.id);
  for (let now = from; now < from + lastsMs; now += TICK_MS) {
    changeLevels(now);
    engine.advance(now);
    const body = report(now);
    const began = stopwatch.monotonic();
    loop(body, now);
    if (now - from >= (simulation.measureAfterMs ?? 0)) loopMs += stopwatch.monotonic() - began;
    await clock.advance(TICK_MS);
  }
  return { simulatedMs: lastsMs, loopMs, ...tally, starts: engine.counts, ...sums };
}
