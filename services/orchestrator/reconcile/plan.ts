import { type Container, type DesiredRevision, type InstanceRecord, isLive, type RevisionVerdict } from './records.ts';
import type { Step, StopReason } from './steps.ts';

export interface ObservedInstance {
  readonly record: InstanceRecord;
  readonly container: Container;
  /** A step of it is being executed: it counts, and gets no other. */
  readonly busy: boolean;
  readonly probing: boolean;
  /** Requests in flight as gateways last said; null when they did not. */
  readonly inFlight: number | null;
}

export interface Observed {
  /** Instances that are not over. */
  readonly instances: readonly ObservedInstance[];
  /** Containers of ours that no such instance owns. */
  readonly strays: readonly { readonly instanceId: string; readonly revisionId: string; readonly running: boolean }[];
  readonly verdicts: ReadonlyMap<string, RevisionVerdict>;
}

/** Gateways need so long to hear that an instance drains; before that it may still get a new request. */
const SETTLE_MS = 1000;

/**
 * What to do now, given what should run, what does, and how many instances each revision wants. Pure: the same inputs
 * give the same steps, a converged world gives none, and steps that were executed change the inputs.
 */
export function plan(
  desired: ReadonlyMap<string, DesiredRevision>,
  observed: Observed,
  wanted: ReadonlyMap<string, number>,
  now: number,
): Step[] {
  const steps: Step[] = [];
  const byRevision = Map.groupBy(observed.instances, ({ record }) => record.revisionId);
  for (const revisionId of new Set([...desired.keys(), ...byRevision.keys()])) {
    const revision = desired.get(revisionId);
    const instances = byRevision.get(revisionId) ?? [];
    const target = targetOf(revision, wanted.get(revisionId) ?? 0, observed.verdicts.get(revisionId));
    const counted: ObservedInstance[] = [];
    const ending = new Set<ObservedInstance>();
    for (const instance of instances) {
      const step = instance.busy ? null : careFor(instance, revision, now);
      if (step) steps.push(step);
      if (step?.kind === 'end') ending.add(instance);
      // One that is over counts until its end is written down: only then is it known when to try again.
      if (isLive(instance.record.state)) counted.push(instance);
    }
    steps.push(...grow(revision, target, counted, observed.verdicts.get(revisionId), now));
    steps.push(...shrink(counted, counted.length - target, ending, reasonFor(revision)));
  }
  for (const stray of observed.strays) {
    const revision = desired.get(stray.revisionId);
    const keep = stray.running && revision !== undefined && revision.want !== 'retired';
    steps.push({ kind: keep ? 'adopt' : 'discard', instanceId: stray.instanceId });
  }
  return oneStepEach(steps);
}

function targetOf(revision: DesiredRevision | undefined, wanted: number, verdict: RevisionVerdict | undefined): number {
  if (!revision || revision.want === 'retired' || revision.suspended === true) return 0;
  // A newest revision that failed to prove itself is not tried again; a newer one replaces it.
  if (revision.want === 'starting' && verdict?.state === 'failed') return 0;
  return wanted;
}

/** What one instance needs, whatever the number of its siblings. */
function careFor(
  { record, container, probing, inFlight }: ObservedInstance,
  revision: DesiredRevision | undefined,
  now: number,
): Step | null {
  const { instanceId } = record;
  if (container === 'unseen') return null;
  const gone = container === 'absent' || container.state === 'created';
  if (gone) {
    const startable = record.state === 'starting' && record.startedAt === null && revision?.want !== undefined;
    return { kind: startable && revision.want !== 'retired' ? 'start' : 'end', instanceId };
  }
  if (container.state === 'exited') return { kind: 'end', instanceId };
  if (record.state === 'starting') return probing ? null : { kind: 'probe', instanceId };
  if (record.state === 'draining' && isDrained(record, revision, inFlight, now)) {
    return { kind: 'stop', instanceId, reason: stopReason(record.reason) };
  }
  return null;
}

function reasonFor(revision: DesiredRevision | undefined): StopReason {
  if (!revision || revision.want === 'retired') return 'RevisionRetired';
  return revision.suspended === true ? 'ProjectPaused' : 'ScaledDown';
}

function stopReason(text: string | null): StopReason {
  return text === 'RevisionRetired' || text === 'Superseded' ? text : 'ScaledDown';
}

/**
 * Idle once gateways have heard of the draining; or, where requests go on or gateways say nothing, when the longest
 * request that may be under way is over.
 */
export function isDrained(
  record: InstanceRecord,
  revision: DesiredRevision | undefined,
  inFlight: number | null,
  now: number,
): boolean {
  const drainedFor = now - (record.drainingAt ?? now);
  if (drainedFor < SETTLE_MS) return false;
  if (inFlight === 0) return true;
  const graceMs = record.terminationGraceSeconds * 1000;
  // Nothing said: the instance itself finishes what it has between SIGTERM and SIGKILL.
  if (inFlight === null) return drainedFor >= Math.min(graceMs, SETTLE_MS * 2);
  return drainedFor >= Math.max(graceMs, (revision?.revision.template.timeoutSeconds ?? 0) * 1000);
}

function grow(
  revision: DesiredRevision | undefined,
  target: number,
  counted: readonly ObservedInstance[],
  verdict: RevisionVerdict | undefined,
  now: number,
): Step[] {
  const missing = target - counted.length;
  if (!revision || missing <= 0 || (verdict && now < verdict.retryAt)) return [];
  // After failures one instance tells whether the revision is well again; the others follow when it is ready.
  const careful = verdict !== undefined && verdict.failures > (verdict.state === 'ready' ? 1 : 0);
  if (careful && counted.some(({ record }) => record.state === 'starting')) return [];
  const count = careful ? 1 : missing;
  return Array.from({ length: count }, () => ({ kind: 'create', revisionId: revision.revision.id }));
}

/** Those that serve least go first: those that are over, not ready yet, fewest requests, youngest. */
function shrink(
  instances: readonly ObservedInstance[],
  surplus: number,
  ending: ReadonlySet<ObservedInstance>,
  reason: StopReason,
): Step[] {
  if (surplus <= 0) return [];
  const ranked = instances.toSorted(
    (a, b) =>
      Number(ending.has(b)) - Number(ending.has(a)) ||
      Number(a.record.state === 'ready') - Number(b.record.state === 'ready') ||
      (a.inFlight ?? 0) - (b.inFlight ?? 0) ||
      b.record.createdAt - a.record.createdAt,
  );
  return ranked
    .slice(0, surplus)
    .filter((instance) => !instance.busy && instance.container !== 'unseen' && !ending.has(instance))
    .map(({ record }) => ({
      // A paused project's money is spent: its requests have the grace of the instance, not their own time limit.
      kind: record.state === 'ready' && reason !== 'ProjectPaused' ? ('drain' as const) : ('stop' as const),
      instanceId: record.instanceId,
      reason,
    }));
}

/** A later verdict on an instance wins: one that goes away needs no probe first. */
function oneStepEach(steps: readonly Step[]): Step[] {
  const last = new Map<string, Step>();
  const creates: Step[] = [];
  for (const step of steps) {
    if (step.kind === 'create') creates.push(step);
    else last.set(step.instanceId, step);
  }
  return [...last.values(), ...creates];
}
