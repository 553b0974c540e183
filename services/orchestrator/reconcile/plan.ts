import { byReadiness, isOnLadder, type Ladder, type LadderAbilities, ladderOf, ladderSteps } from './ladder.ts';
import type { Observed, ObservedInstance } from './observed.ts';
import { type DesiredRevision, type InstanceRecord, isLive, type RevisionVerdict } from './records.ts';
import type { Step, StopReason } from './steps.ts';

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
  can: LadderAbilities = { pause: false, restart: false },
  /** Those that are planned for; all of them unless given. `observed` need not tell of others. */
  revisions: Iterable<string> = everyRevision(desired, observed),
): Step[] {
  const steps: Step[] = [];
  const adoptable = new Map<string, number>();
  for (const stray of observed.strays) {
    if (isAdoptable(stray, desired)) adoptable.set(stray.revisionId, (adoptable.get(stray.revisionId) ?? 0) + 1);
  }
  const byRevision = Map.groupBy(observed.instances, ({ record }) => record.revisionId);
  for (const revisionId of revisions) {
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
    const over = reasonFor(revision) === 'ScaledDown' ? null : reasonFor(revision);
    const idle = instances.filter((instance) => isOnLadder(instance) && !ending.has(instance));
    const ladder = ladderOf(revision, target, can);
    const verdict = observed.verdicts.get(revisionId);
    // Instances on their way to the warm pool run until they are ready.
    const filling = verdict?.state === 'ready' ? Math.max(0, ladder.warm - idle.length) : 0;
    // Each that is about to be adopted is one that needs no other.
    const adopted = adoptable.get(revisionId) ?? 0;
    const missing = Math.max(0, target - counted.length - adopted);
    const soon = idle.filter(willRun).length;
    const woken = byReadiness(idle).slice(0, Math.max(0, missing - soon));
    steps.push(...ladderSteps(idle, ladder, over, now), ...woken.map(wakeUp));
    steps.push(...grow(revision, target + filling, counted, woken.length + soon + adopted, verdict, now));
    const reason = reasonFor(revision);
    steps.push(...shrink(counted, { target, filling }, ending, reason, { ladder, idle: idle.length - woken.length }));
  }
  for (const stray of observed.strays) {
    steps.push({ kind: isAdoptable(stray, desired) ? 'adopt' : 'discard', instanceId: stray.instanceId });
  }
  return oneStepEach(steps);
}

function everyRevision(desired: ReadonlyMap<string, DesiredRevision>, { instances }: Observed): Set<string> {
  return new Set([...desired.keys(), ...instances.map(({ record }) => record.revisionId)]);
}

/** A running container of a wanted revision whose row is lost. */
function isAdoptable(
  { running, revisionId }: Observed['strays'][number],
  desired: ReadonlyMap<string, DesiredRevision>,
): boolean {
  const revision = desired.get(revisionId);
  return running && revision !== undefined && revision.want !== 'retired';
}

function targetOf(revision: DesiredRevision | undefined, wanted: number, verdict: RevisionVerdict | undefined): number {
  if (!revision || revision.want === 'retired' || revision.suspended === true) return 0;
  // A newest revision that failed to prove itself is not tried again; a newer one replaces it.
  if (revision.want === 'starting' && verdict?.state === 'failed') return 0;
  return wanted;
}

/** What one instance needs, whatever the number of its siblings. */
function careFor(
  { record, container, probing, watched, inFlight }: ObservedInstance,
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
  if (record.state === 'parked')
    return container.state === 'running' && !probing ? { kind: 'probe', instanceId } : null;
  if (container.state === 'exited') return { kind: 'end', instanceId };
  if (record.state === 'starting') return probing ? null : { kind: 'probe', instanceId };
  if (record.state === 'draining' && isDrained(record, revision, inFlight, now)) {
    return { kind: 'stop', instanceId, reason: stopReason(record.reason) };
  }
  const serves = record.state === 'ready' || record.state === 'unready';
  if (serves && !watched && revision && isWatched(revision)) return { kind: 'watch', instanceId };
  return null;
}

function reasonFor(revision: DesiredRevision | undefined): StopReason {
  if (!revision || revision.want === 'retired') return 'RevisionRetired';
  return revision.suspended === true ? 'ProjectPaused' : 'ScaledDown';
}

const isWatched = ({ revision: { template } }: DesiredRevision) =>
  template.readinessProbe !== undefined || template.livenessProbe !== undefined;

/** What is being frozen just now can be resumed in a moment, which is sooner than another could start. */
const willRun = ({ busy, rising, record }: ObservedInstance) =>
  rising || (busy && record.state === 'paused' && record.frozenAt === null);

function wakeUp({ record }: ObservedInstance): Step {
  return { kind: record.state === 'parked' ? 'wake' : 'resume', instanceId: record.instanceId };
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
  woken: number,
  verdict: RevisionVerdict | undefined,
  now: number,
): Step[] {
  const missing = target - counted.length - woken;
  if (!revision || missing <= 0 || (verdict && now < verdict.retryAt)) return [];
  // After failures one instance tells whether the revision is well again; the others follow when it is ready.
  const careful = verdict !== undefined && verdict.failures > (verdict.state === 'ready' ? 1 : 0);
  if (careful && counted.some(({ record }) => record.state === 'starting')) return [];
  const count = careful ? 1 : missing;
  return Array.from({ length: count }, () => ({ kind: 'create', revisionId: revision.revision.id }));
}

/**
 * Those that serve least go first: those that are over, not ready yet, fewest requests, youngest. One that the idle
 * ladder has room for is paused, any other leaves.
 */
function shrink(
  instances: readonly ObservedInstance[],
  { target, filling }: { readonly target: number; readonly filling: number },
  ending: ReadonlySet<ObservedInstance>,
  reason: StopReason,
  { ladder, idle }: { readonly ladder: Ladder; readonly idle: number },
): Step[] {
  // One that is to fill the warm pool may go there as soon as it is ready.
  const ready = instances.filter(({ record }) => record.state === 'ready').length;
  const surplus = Math.max(instances.length - target - filling, Math.min(filling, ready - target));
  if (surplus <= 0) return [];
  let room = Math.max(0, ladder.keep - idle);
  const ranked = instances.toSorted(
    (a, b) =>
      Number(ending.has(b)) - Number(ending.has(a)) ||
      Number(a.record.state === 'ready') - Number(b.record.state === 'ready') ||
      (a.inFlight ?? 0) - (b.inFlight ?? 0) ||
      b.record.createdAt - a.record.createdAt,
  );
  const leaving =
    instances.length - target - filling > 0 ? ranked : ranked.filter(({ record }) => record.state === 'ready');
  return leaving
    .slice(0, surplus)
    .filter((instance) => !instance.busy && instance.container !== 'unseen' && !ending.has(instance))
    .map(({ record: { state, instanceId } }): Step => {
      // A paused project's money is spent: its requests have the grace of the instance, not their own time limit.
      if (state === 'starting' || reason === 'ProjectPaused') return { kind: 'stop', instanceId, reason };
      if (state !== 'ready' || room === 0) return { kind: 'drain', instanceId, reason };
      room -= 1;
      return { kind: 'pause', instanceId };
    });
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
