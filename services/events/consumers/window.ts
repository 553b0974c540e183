import { type AnyEvent, type FlowObserved, latencyQuantile, type ObservedCalls } from '@skyrun/contracts';

/** What the map shows. */
export const WINDOW_MS = 300_000;
/** Observations of one process at most; beyond, the oldest go. */
const MAX_KEPT = 20_000;

export interface FlowSum {
  readonly source: string;
  readonly group: string;
  readonly type: string;
  readonly project: string | undefined;
  readonly handled: number;
  readonly failed: number;
  readonly totalMs: number;
}

/** HTTP traffic of one service. */
export interface TrafficSum {
  readonly service: string;
  readonly requests: number;
  readonly errors: number;
  /** Milliseconds; of the newest second that had requests. */
  readonly p95Ms: number | null;
  readonly ready: number;
}

/** What one team service asked of another service. */
export interface CallSum extends Pick<ObservedCalls, 'from' | 'kind' | 'to'> {
  readonly requests: number;
  readonly errors: number;
  /** Milliseconds, over the window. */
  readonly p95Ms: number | null;
}

const OBSERVATIONS = new Set(['skyrun.flow.observed.v1', 'skyrun.calls.observed.v1', 'skyrun.traffic.observed.v1']);

interface Kept {
  readonly at: number;
  readonly event: AnyEvent;
}

/** The last minutes of what consumers and gateways tell of themselves; each process hears all of it. Times are arguments. */
export class ObservedWindow {
  #kept: Kept[] = [];

  add(event: AnyEvent, now: number): void {
    if (!OBSERVATIONS.has(event.type)) return;
    this.#kept.push({ at: now, event });
    this.#forget(now);
  }

  /** Flows of events of one project. */
  flows(project: string, now: number): FlowSum[] {
    const sums = new Map<string, FlowSum>();
    for (const { group, flows } of this.#observations(now)) {
      for (const flow of flows) {
        if (flow.project !== project) continue;
        const key = `${flow.source} ${group} ${flow.type}`;
        const known = sums.get(key);
        sums.set(key, {
          source: flow.source,
          group,
          type: flow.type,
          project: flow.project,
          handled: (known?.handled ?? 0) + flow.handled,
          failed: (known?.failed ?? 0) + flow.failed,
          totalMs: (known?.totalMs ?? 0) + flow.totalMs,
        });
      }
    }
    return [...sums.values()];
  }

  traffic(project: string, now: number): TrafficSum[] {
    const sums = new Map<string, TrafficSum>();
    for (const { event } of this.#recent(now)) {
      if (event.type !== 'skyrun.traffic.observed.v1' || event.data.project !== project) continue;
      const { service, requestsPerSecond, windowMs, statusClasses, p95Ms, instances } = event.data;
      const known = sums.get(service);
      sums.set(service, {
        service,
        requests: (known?.requests ?? 0) + (requestsPerSecond * windowMs) / 1000,
        errors: (known?.errors ?? 0) + statusClasses['5xx'],
        p95Ms: p95Ms ?? known?.p95Ms ?? null,
        ready: instances.ready,
      });
    }
    return [...sums.values()];
  }

  calls(project: string, now: number): CallSum[] {
    const sums = new Map<string, ObservedCalls>();
    for (const { event } of this.#recent(now)) {
      if (event.type !== 'skyrun.calls.observed.v1') continue;
      for (const calls of event.data.calls) {
        if (calls.project !== project) continue;
        const pair = `${calls.from} ${calls.kind} ${calls.to}`;
        const known = sums.get(pair);
        sums.set(pair, known === undefined ? calls : together(known, calls));
      }
    }
    return Array.from(sums.values(), ({ from, kind, to, requests, errors, latencyBuckets }) => ({
      from,
      kind,
      to,
      requests,
      errors,
      p95Ms: latencyQuantile(latencyBuckets, 0.95),
    }));
  }

  #observations(now: number): FlowObserved[] {
    return this.#recent(now).flatMap(({ event }) => (event.type === 'skyrun.flow.observed.v1' ? [event.data] : []));
  }

  #recent(now: number): Kept[] {
    return this.#kept.filter(({ at }) => at > now - WINDOW_MS);
  }

  #forget(now: number): void {
    const first = this.#kept[0];
    // Now and then, so that it does not cost each event.
    if (this.#kept.length > MAX_KEPT || (first && first.at < now - 2 * WINDOW_MS)) {
      this.#kept = this.#recent(now).slice(-MAX_KEPT);
    }
  }
}

function together(one: ObservedCalls, other: ObservedCalls): ObservedCalls {
  return {
    ...one,
    requests: one.requests + other.requests,
    errors: one.errors + other.errors,
    latencyBuckets: one.latencyBuckets.map((count, index) => count + (other.latencyBuckets[index] ?? 0)),
  };
}
