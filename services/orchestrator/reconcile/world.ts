import type { RuntimeInstance } from '../runtime/runtime.ts';
import type { Observed } from './observed.ts';
import type { Container, DesiredRevision, InstanceRecord, RevisionVerdict } from './records.ts';
import { unproven } from './transitions.ts';

/** One instance that is not over, in the leader's memory. */
export interface Entry {
  /** As last committed; a record that is being created is here before its row. */
  record: InstanceRecord;
  container: Container;
  /** When the engine last said that it runs; Unix milliseconds. */
  seenRunningAt: number;
  /** How many things are being done with it; while there are any, no step is planned for it. */
  holds: number;
  /** Left alone until then, after a step that failed for outside reasons. */
  pausedUntil: number;
  probe: AbortController | null;
  /** Asks for as long as it serves. */
  health: AbortController | null;
  /** It is on its way up the idle ladder: it counts as one that runs. */
  rising: boolean;
  /** Its last start, where that is traced. */
  startTrace: { readonly traceparent: string; readonly readyAt: number } | null;
}

export interface InstanceCounts {
  readonly ready: number;
  readonly starting: number;
}

export interface World {
  desired: ReadonlyMap<string, DesiredRevision> | null;
  readonly entries: ReadonlyMap<string, Entry>;
  readonly strays: Map<string, RuntimeInstance>;
  readonly wanted: Map<string, number>;
  add(record: InstanceRecord, fields?: Partial<Entry>): Entry;
  /** It is over, and written down as such. */
  remove(instanceId: string): void;
  /** Instances of a revision that are not over. */
  of(revisionId: string): Iterable<Entry>;
  verdict(revisionId: string): RevisionVerdict;
  setVerdict(verdict: RevisionVerdict): void;
  /** Revisions of which something failed and nothing has been well for long since. */
  troubled(): RevisionVerdict[];
  /** No new instance of the revision until then. */
  pauseCreates(revisionId: string, until: number): void;
  counts(revisionId: string): InstanceCounts;
  /** Where it differs from the instance's own. */
  publishedPort(instanceId: string): number | undefined;
  /** Revisions that have instances which are not over. */
  revisions(): Iterable<string>;
  /** What the engine says of every container; `null` names all of them, an id one. Answers the revisions it is news for. */
  observe(found: readonly RuntimeInstance[], instanceId: string | null, at: number): Set<string>;
  /** Of these revisions. */
  snapshot(
    now: number,
    inFlight: (instanceId: string, revisionId: string) => number | null,
    revisions: Iterable<string>,
  ): Observed;
}

export function createWorld(records: readonly InstanceRecord[], verdicts: readonly RevisionVerdict[]): World {
  const entries = new Map<string, Entry>();
  const byRevision = new Map<string, Set<Entry>>();
  const strays = new Map<string, RuntimeInstance>();
  const known = new Map(verdicts.map((verdict) => [verdict.revisionId, verdict]));
  const paused = new Map<string, number>();
  const troubled = new Set(verdicts.filter(({ failures }) => failures > 0).map(({ revisionId }) => revisionId));

  function add(record: InstanceRecord, fields: Partial<Entry> = {}): Entry {
    const entry: Entry = {
      record,
      container: 'unseen',
      seenRunningAt: 0,
      holds: 0,
      pausedUntil: 0,
      probe: null,
      health: null,
      rising: false,
      startTrace: null,
      ...fields,
    };
    entries.set(record.instanceId, entry);
    const siblings = byRevision.get(record.revisionId) ?? new Set();
    byRevision.set(record.revisionId, siblings.add(entry));
    return entry;
  }

  function remove(instanceId: string): void {
    const entry = entries.get(instanceId);
    if (!entry) return;
    entry.health?.abort();
    entries.delete(instanceId);
    const siblings = byRevision.get(entry.record.revisionId);
    siblings?.delete(entry);
    if (siblings?.size === 0) byRevision.delete(entry.record.revisionId);
  }

  function verdictAt(revisionId: string, now: number): RevisionVerdict | undefined {
    const verdict = known.get(revisionId);
    const until = paused.get(revisionId);
    if (until === undefined) return verdict;
    if (until <= now) {
      paused.delete(revisionId);
      return verdict;
    }
    const { retryAt, ...rest } = verdict ?? unproven(revisionId);
    return { ...rest, retryAt: Math.max(retryAt, until) };
  }

  const of = (revisionId: string): Iterable<Entry> => byRevision.get(revisionId) ?? [];
  for (const record of records) add(record);

  /** Whether that is news. */
  function see(found: RuntimeInstance, at: number): boolean {
    const entry = entries.get(found.identity.instanceId);
    if (!entry) {
      strays.set(found.identity.instanceId, found);
      return true;
    }
    const news = !sameFacts(entry.container, found);
    entry.container = found;
    if (found.state === 'running') entry.seenRunningAt = at;
    // An instance that is over answers no probe.
    if (found.state !== 'exited') return news;
    entry.probe?.abort();
    entry.health?.abort();
    return news;
  }

  function miss(entry: Entry): void {
    entry.container = 'absent';
    entry.probe?.abort();
    entry.health?.abort();
  }

  return {
    desired: null,
    entries,
    strays,
    wanted: new Map(),
    add,
    remove,
    of,
    verdict: (revisionId) => known.get(revisionId) ?? unproven(revisionId),
    setVerdict(verdict) {
      known.set(verdict.revisionId, verdict);
      if (verdict.failures > 0) troubled.add(verdict.revisionId);
      else troubled.delete(verdict.revisionId);
    },
    troubled: () => [...troubled].flatMap((revisionId) => known.get(revisionId) ?? []),
    pauseCreates(revisionId, until) {
      paused.set(revisionId, until);
    },
    publishedPort(instanceId) {
      const container = entries.get(instanceId)?.container;
      return typeof container === 'object' ? container.port : undefined;
    },
    counts(revisionId) {
      let ready = 0;
      let starting = 0;
      for (const { record } of of(revisionId)) {
        if (record.state === 'ready') ready += 1;
        if (record.state === 'starting') starting += 1;
      }
      return { ready, starting };
    },
    revisions: () => byRevision.keys(),
    observe(found, instanceId, at) {
      const news = new Set<string>();
      if (instanceId === null) strays.clear();
      else strays.delete(instanceId);
      for (const instance of found) if (see(instance, at)) news.add(instance.identity.revisionId);
      const present = new Set(found.map(({ identity }) => identity.instanceId));
      for (const id of instanceId === null ? entries.keys() : [instanceId]) {
        const entry = entries.get(id);
        // A container that is being made now was not there yet when the engine was asked.
        if (!entry || present.has(id) || entry.holds > 0) continue;
        if (entry.container !== 'absent') news.add(entry.record.revisionId);
        miss(entry);
      }
      return news;
    },
    snapshot(now, inFlight, revisions) {
      return {
        instances: [...revisions]
          .flatMap((revisionId) => [...of(revisionId)])
          .map((entry) => ({
            record: entry.record,
            container: entry.container,
            busy: entry.holds > 0 || entry.pausedUntil > now,
            probing: entry.probe !== null,
            watched: entry.health !== null,
            rising: entry.rising,
            inFlight:
              entry.record.state === 'parked' ? null : inFlight(entry.record.instanceId, entry.record.revisionId),
          })),
        strays: [...strays.values()].map(({ identity, state }) => ({
          instanceId: identity.instanceId,
          revisionId: identity.revisionId,
          running: state === 'running',
        })),
        verdicts: { get: (revisionId) => verdictAt(revisionId, now) },
      };
    },
  };
}

/** Whether a plan would see no difference. */
function sameFacts(before: Container, after: RuntimeInstance): boolean {
  if (typeof before === 'string') return false;
  const fields = ['state', 'paused', 'address', 'port', 'startedAt'] as const;
  return fields.every((field) => before[field] === after[field]);
}
