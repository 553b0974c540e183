import type { TrafficReport } from '@skyrun/contracts';
import { ConcurrencyWindow } from '../autoscale/concurrency-window.ts';
import type { WaitingRequest } from '../starts/trace-start.ts';
import { LatencyWindow } from './latency-window.ts';
import { addReport, emptyTally, isEmpty, type RevisionReport, type Tally } from './tally.ts';

export interface IntakeOptions {
  /** How far back a revision's autoscaling looks, in milliseconds. */
  windowMs(revisionId: string): number;
}

/** A gateway that is silent for so long is gone, and what it had in flight with it. */
const GATEWAY_TTL_MS = 5_000;

/**
 * One that is silent for so long is forgotten, and with it which of its reports were heard: none of them is on its way any more.
 * Gateways of containers have a new name with each start.
 */
const FORGET_GATEWAY_MS = 3_600_000;

/** No request waits longer at a gateway. */
const LONGEST_WAIT_MS = 600_000;

interface GatewayState {
  sequence: number;
  /** By the gateway's clock. */
  at: number;
  /** By ours. */
  heardAt: number;
  current: Map<string, RevisionReport>;
  /** Sequences of the reports that came last, in the order in which they came. */
  readonly heard: Set<number>;
  /** Whether it says which instance has how many. */
  countsInstances: boolean;
}

interface RevisionTraffic {
  readonly window: ConcurrencyWindow;
  /** Requests per second in place of concurrency. */
  readonly rate: ConcurrencyWindow;
  readonly latency: LatencyWindow;
  lastActiveAt: number;
  /** The first of the requests that wait now; null when none does. */
  waiting: WaitingRequest | null;
  /** Since the last flush to the metrics. */
  tally: Tally;
}

export interface TrafficIntake {
  /** False for a report that was heard before. */
  accept(report: TrafficReport, now: number): boolean;
  /** Requests in flight or waiting at a revision, over all gateways, as last said. */
  current(revisionId: string, now: number): number;
  /** Requests in flight at an instance; null when no gateway counts per instance. */
  inFlight(instanceId: string, revisionId: string, now: number): number | null;
  /** The first of the requests that wait for an instance; null when none was told of lately. */
  waiting(revisionId: string, now: number): WaitingRequest | null;
  /** A request waits that no report has told of yet. */
  waits(revisionId: string, request: WaitingRequest): void;
  /** Mean concurrency, or requests per second, over the window; null when nothing was measured. */
  average(revisionId: string, now: number, windowMs: number, metric?: 'concurrency' | 'rps'): number | null;
  /** Milliseconds within which 95 % of the window's requests were answered; null when none was. */
  p95(revisionId: string, now: number): number | null;
  /** Takes up what an earlier leader stored: traffic of a span that is over, oldest first. */
  restore(revisionId: string, from: number, until: number, tally: Readonly<Tally>): void;
  lastActiveAt(revisionId: string): number;
  /** A sign of life that is no request, such as an instance that became ready. */
  touch(revisionId: string, at: number): void;
  /** Traffic since the last drain, by revision; revisions without any are left out. */
  drain(): Map<string, Tally>;
  forget(keep: ReadonlySet<string>): void;
  /** Gateways that are remembered, silent ones included. */
  gateways(): number;
}

/** Of one gateway; what comes later than so many others is as good as lost. */
const MOST_HEARD = 256;

/** What all gateways together see, kept in memory by the leader; the seconds become metrics that outlive it. */
export function createTrafficIntake({ windowMs }: IntakeOptions): TrafficIntake {
  const gateways = new Map<string, GatewayState>();
  const revisions = new Map<string, RevisionTraffic>();

  function trafficOf(revisionId: string): RevisionTraffic {
    let found = revisions.get(revisionId);
    if (!found) {
      const longest = windowMs(revisionId);
      found = {
        window: new ConcurrencyWindow(longest),
        rate: new ConcurrencyWindow(longest),
        latency: new LatencyWindow(longest),
        lastActiveAt: 0,
        waiting: null,
        tally: emptyTally(),
      };
      revisions.set(revisionId, found);
    }
    return found;
  }

  /** Of life, and of a request that waits. */
  function noteSigns(revision: RevisionReport, now: number): void {
    const traffic = trafficOf(revision.revisionId);
    if (revision.queued === 0) traffic.waiting = null;
    else traffic.waiting ??= { since: now - (revision.waitingMs ?? 0), traceparent: revision.traceparent };
    if (revision.current > 0 || revision.requests > 0 || revision.concurrency > 0) traffic.lastActiveAt = now;
  }

  /**
   * One that a later report has overtaken, on another connection or through another orchestrator: what it says of now is past,
   * but its requests were made, and those that it says wait do so unless the later one knew of them.
   */
  function acceptOvertaken(known: GatewayState, report: TrafficReport, now: number): boolean {
    const { heard } = known;
    if (heard.has(report.sequence) || report.sequence < Math.min(...heard)) return false;
    remember(heard, report.sequence);
    for (const revision of report.revisions) addReport(trafficOf(revision.revisionId).tally, revision, report.windowMs);
    const unknown = report.revisions.filter(({ revisionId }) => !known.current.has(revisionId));
    if (report.windowMs > 0 || unknown.length === 0) return false;
    for (const revision of unknown) {
      known.current.set(revision.revisionId, revision);
      noteSigns(revision, now);
    }
    return true;
  }

  function forgetSilent(now: number): void {
    for (const [name, { heardAt }] of gateways) if (now - heardAt > FORGET_GATEWAY_MS) gateways.delete(name);
  }

  const alive = (now: number) => [...gateways.values()].filter(({ heardAt }) => now - heardAt < GATEWAY_TTL_MS);

  return {
    accept(report, now) {
      const at = Date.parse(report.at);
      const known = gateways.get(report.gateway);
      if (!known) forgetSilent(now);
      // A sequence that begins anew at a later time is a new process under an old name.
      if (known && report.sequence <= known.sequence && at <= known.at) return acceptOvertaken(known, report, now);
      const current = new Map(report.revisions.map((revision) => [revision.revisionId, revision]));
      // An activation tells of the revisions that wait and says nothing about the others.
      const merged = report.windowMs === 0 && known ? known.current : current;
      if (merged !== current) for (const [id, revision] of current) merged.set(id, revision);
      const counts = report.revisions.some(({ instances }) => instances !== undefined);
      gateways.set(report.gateway, {
        sequence: report.sequence,
        at,
        heardAt: now,
        current: merged,
        heard: remember(known && report.sequence > known.sequence ? known.heard : new Set(), report.sequence),
        countsInstances: counts || (known?.countsInstances ?? false),
      });
      for (const revision of report.revisions) {
        const traffic = trafficOf(revision.revisionId);
        traffic.window.observeFrom(now - report.windowMs);
        traffic.window.add(now - report.windowMs, now, revision.concurrency);
        traffic.rate.observeFrom(now - report.windowMs);
        if (report.windowMs > 0) {
          traffic.rate.add(now - report.windowMs, now, (revision.requests * 1000) / report.windowMs);
          traffic.latency.add(revision.latencyBuckets, now);
        }
        addReport(traffic.tally, revision, report.windowMs);
        noteSigns(revision, now);
      }
      return true;
    },
    current(revisionId, now) {
      return alive(now).reduce((sum, gateway) => sum + (gateway.current.get(revisionId)?.current ?? 0), 0);
    },
    inFlight(instanceId, revisionId, now) {
      const counting = alive(now).filter(({ countsInstances }) => countsInstances);
      if (counting.length === 0) return null;
      let sum = 0;
      for (const gateway of counting) {
        const { instances } = gateway.current.get(revisionId) ?? {};
        sum += instances?.find(({ id }) => id === instanceId)?.current ?? 0;
      }
      return sum;
    },
    waiting(revisionId, now) {
      const waiting = revisions.get(revisionId)?.waiting ?? null;
      return waiting !== null && now - waiting.since < LONGEST_WAIT_MS ? waiting : null;
    },
    waits(revisionId, request) {
      trafficOf(revisionId).waiting ??= request;
    },
    average(revisionId, now, windowMs, metric = 'concurrency') {
      const traffic = revisions.get(revisionId);
      return (metric === 'rps' ? traffic?.rate : traffic?.window)?.average(now, windowMs) ?? null;
    },
    p95: (revisionId, now) => revisions.get(revisionId)?.latency.quantile(0.95, now) ?? null,
    restore(revisionId, from, until, tally) {
      const traffic = trafficOf(revisionId);
      const spanMs = until - from;
      traffic.window.add(from, until, tally.concurrencyMs / spanMs);
      traffic.rate.add(from, until, (tally.requests * 1000) / spanMs);
      traffic.latency.add(tally.latencyBuckets, until);
      if (tally.requests > 0 || tally.concurrencyMs > 0) traffic.lastActiveAt = Math.max(traffic.lastActiveAt, until);
    },
    lastActiveAt: (revisionId) => revisions.get(revisionId)?.lastActiveAt ?? 0,
    touch(revisionId, at) {
      const traffic = trafficOf(revisionId);
      traffic.window.observeFrom(at);
      traffic.rate.observeFrom(at);
      traffic.lastActiveAt = Math.max(traffic.lastActiveAt, at);
    },
    drain() {
      const found = new Map<string, Tally>();
      for (const [revisionId, traffic] of revisions) {
        const { tally } = traffic;
        if (isEmpty(tally)) continue;
        found.set(revisionId, tally);
        traffic.tally = emptyTally();
      }
      return found;
    },
    gateways: () => gateways.size,
    forget(keep) {
      for (const revisionId of revisions.keys()) if (!keep.has(revisionId)) revisions.delete(revisionId);
    },
  };
}

function remember(heard: Set<number>, sequence: number): Set<number> {
  heard.add(sequence);
  const [oldest] = heard;
  if (heard.size > MOST_HEARD && oldest !== undefined) heard.delete(oldest);
  return heard;
}
