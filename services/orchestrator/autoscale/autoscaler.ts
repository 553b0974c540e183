import type { Decision, MetricWant, ScaleTarget } from '@skyrun/contracts';
import { type Clock, isoTime, type Logger } from '@skyrun/kit';
import { Agenda } from '../reconcile/agenda.ts';
import type { DesiredRevision } from '../reconcile/records.ts';
import type { InstanceCounts, World } from '../reconcile/world.ts';
import type { Ledger } from '../store/ledger.ts';
import type { TrafficIntake } from '../traffic/intake.ts';
import type { InstanceSamples, Use } from '../usage/instance-samples.ts';
import type { CustomMetrics } from './custom-metrics.ts';
import { CALM, decide, type ScaleMemory, type ScaleWindow } from './decide.ts';
import { nextJudgement } from './next-judgement.ts';
import { policyOf, type ScalePolicy } from './policy.ts';
import { addSample, predictedFloor, SAMPLE_MS, type Trend } from './prediction.ts';
import { scheduledFloor } from './schedules.ts';

export interface AutoscalerOptions {
  readonly world: World;
  readonly intake: TrafficIntake;
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Instances that were there before this leader: their revisions are measured a while before any goes. */
  readonly adopted: ReadonlySet<string>;
  background(task: Promise<void>): void;
  /** What the engine says that instances use; absent where nobody asks it. */
  readonly samples?: Pick<InstanceSamples, 'latest'>;
  readonly custom?: Pick<CustomMetrics, 'value'>;
  /** When wants last changed, as an earlier leader stored it. */
  readonly changes?: ReadonlyMap<string, number>;
}

export interface Autoscaler {
  /** There is news of the revision: traffic, or another template. */
  changed(revisionId: string): void;
  /** Judges those of which there is news and those that are due; answers the ones whose want changed. */
  evaluate(): string[];
  /** Judges one revision now, because a request waits for it. */
  activate(revisionId: string): boolean;
  /** Wants at least one instance of a revision, because a request waits that no report has told of yet. */
  wakeUp(revisionId: string): void;
}

/** Most that is measured again after a restart before anything is taken away. */
const LONGEST_SETTLE_MS = 60_000;
/** All are judged so often, in case that some news was missed. */
const JUDGE_ALL_MS = 60_000;

interface Want {
  readonly wanted: number;
  readonly sentence: string;
  readonly limiter?: string;
  readonly wants?: readonly MetricWant[];
  readonly inputs: Decision['inputs'];
  /** When it could be another without any news. */
  readonly againAt: number | null;
}

export function createAutoscaler(options: AutoscalerOptions): Autoscaler {
  const { world, intake, ledger, clock, logger, adopted } = options;
  const began = clock.now();
  const memories = new Map<string, ScaleMemory>();
  const trends = new Map<string, Trend>();
  const changes = new Map(options.changes);
  const agenda = new Agenda();
  // What was there before this term is news.
  let allAt = Number.NEGATIVE_INFINITY;

  function judge(desired: DesiredRevision, now: number, waits = false): boolean {
    const { revision, want } = desired;
    const counts = world.counts(revision.id);
    const from = world.wanted.get(revision.id) ?? counts.ready + counts.starting;
    const verdict = want === 'serving' ? serve(desired, counts, from, now, waits) : stand(desired, from);
    agenda.at(revision.id, verdict.againAt);
    const known = world.wanted.has(revision.id);
    world.wanted.set(revision.id, verdict.wanted);
    if (verdict.wanted === from) return !known;
    record(desired, from, verdict, now);
    return true;
  }

  function serve(
    { revision }: DesiredRevision,
    counts: InstanceCounts,
    from: number,
    now: number,
    waits: boolean,
  ): Want {
    const policy = policyOf(revision.template);
    const current = intake.current(revision.id, now);
    const waiting = counts.ready + counts.starting === 0 && (waits || current > 0);
    const settleMs = Math.min(policy.stableWindowMs, LONGEST_SETTLE_MS);
    const stable = intake.average(revision.id, now, policy.stableWindowMs, policy.metric);
    const panic = intake.average(revision.id, now, policy.panicWindowMs, policy.metric);
    const window: ScaleWindow = {
      stable,
      panic,
      ready: counts.ready,
      wanted: from,
      waiting,
      // A request that goes on is a sign of life in every moment, not only in that of the last report.
      lastActiveAt: current > 0 ? now : intake.lastActiveAt(revision.id),
      settled: !adopted.has(revision.id) || now - began >= settleMs,
      memory: memories.get(revision.id) ?? CALM,
      signals: policy.targets.map((target) => ({
        target,
        value: signalValue(revision.id, target, counts.ready, now),
      })),
      floors: floorsOf(revision.id, policy, panic, now),
      changedAt: changes.get(revision.id) ?? 0,
    };
    const verdict = decide(policy, window, now);
    memories.set(revision.id, verdict.memory);
    const measured = { stable, panic, wanted: from, settled: window.settled, current };
    return { ...verdict, againAt: nextJudgement(policy, measured, verdict, now) };
  }

  function signalValue(revisionId: string, target: ScaleTarget, ready: number, now: number): number | null {
    switch (target.metric) {
      case 'latency':
        return intake.p95(revisionId, now);
      case 'connections':
        return ready === 0 ? null : intake.current(revisionId, now) / ready;
      case 'custom':
        return options.custom?.value(revisionId, target) ?? null;
      case 'cpu':
        return meanUse(revisionId, 'cpuPercent');
      case 'memory':
        return meanUse(revisionId, 'memoryPercent');
    }
  }

  function meanUse(revisionId: string, field: keyof Use): number | null {
    const uses = [...world.of(revisionId)].flatMap(({ record }) =>
      record.state === 'ready' ? (options.samples?.latest(record.instanceId)?.[field] ?? []) : [],
    );
    return uses.length === 0 ? null : uses.reduce((sum, value) => sum + value, 0) / uses.length;
  }

  function floorsOf(revisionId: string, policy: ScalePolicy, demand: number | null, now: number): MetricWant[] {
    const floors = [];
    const schedule = policy.schedules.length === 0 ? null : scheduledFloor(policy.schedules, now);
    if (schedule) floors.push(schedule);
    if (!policy.predictive) return floors;
    const known = trends.get(revisionId) ?? null;
    const trend = known && now - known.at < SAMPLE_MS ? known : addSample(known, demand ?? 0, now);
    trends.set(revisionId, trend);
    const prediction = predictedFloor(trend, policy.target);
    if (prediction) floors.push(prediction);
    return floors;
  }

  /** A newest revision proves itself with one instance, or with as many as it will always have; a retired one has none. */
  function stand({ revision, want }: DesiredRevision, from: number): Want {
    const { minScale, initialScale } = revision.template.scaling;
    const wanted = want === 'starting' ? Math.max(initialScale, minScale) : 0;
    const why = want === 'starting' ? 'a new revision proves itself' : 'the revision is retired';
    return { wanted, sentence: `${from} → ${wanted}: ${why}`, inputs: { want, minScale, initialScale }, againAt: null };
  }

  function record({ revision }: DesiredRevision, from: number, verdict: Want, now: number): void {
    const { project, service, serviceId, id: revisionId, name: revisionName } = revision;
    const decision: Decision = {
      at: isoTime(now),
      revisionId,
      revisionName,
      from,
      to: verdict.wanted,
      sentence: verdict.sentence,
      limiter: verdict.limiter ?? 'none',
      wants: [...(verdict.wants ?? [])],
      inputs: { ...verdict.inputs },
    };
    logger.info({ revision: revisionName, from, to: decision.to }, decision.sentence);
    changes.set(revisionId, now);
    options.background(
      ledger
        .write({
          decision: { project, service, decision },
          events: [
            {
              type: 'skyrun.scaling.decided.v1',
              subject: `revisions/${revisionId}`,
              project,
              data: { project, service, serviceId, revisionId, revisionName, decision },
            },
          ],
        })
        // The want holds all the same: what it leads to is written down with each instance.
        .catch((error: unknown) => logger.warn({ error, revision: revisionName }, 'a decision could not be stored')),
    );
  }

  function forget(revisionId: string): void {
    agenda.forget(revisionId);
    world.wanted.delete(revisionId);
    memories.delete(revisionId);
    trends.delete(revisionId);
    changes.delete(revisionId);
  }

  return {
    changed: (revisionId) => agenda.mark(revisionId),
    evaluate() {
      const now = clock.now();
      const due = agenda.take(now);
      const all = now >= allAt && world.desired !== null;
      if (all) allAt = now + JUDGE_ALL_MS;
      const changed: string[] = [];
      for (const revisionId of all ? new Set([...(world.desired?.keys() ?? []), ...world.wanted.keys()]) : due) {
        const desired = world.desired?.get(revisionId);
        if (!desired) forget(revisionId);
        else if (judge(desired, now)) changed.push(revisionId);
      }
      return changed;
    },
    activate(revisionId) {
      const desired = world.desired?.get(revisionId);
      return desired?.want === 'serving' && judge(desired, clock.now());
    },
    wakeUp(revisionId) {
      const desired = world.desired?.get(revisionId);
      if (desired?.want === 'serving') judge(desired, clock.now(), true);
    },
  };
}
