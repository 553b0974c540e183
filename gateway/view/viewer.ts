import {
  type GatewayView,
  LATENCY_BOUNDS_MS,
  latencyQuantile,
  type RateLimit,
  VIEW_CLIENTS,
  VIEW_EJECTED,
  VIEW_SERVICES,
} from '@skyrun/contracts';
import { type Clock, isoTime } from '@skyrun/kit/base';
import type { Feeds } from '../feed/feeds.ts';
import type { GatewayCore, OpenConnection } from '../pipeline/core.ts';
import type { Destination, Instance } from '../pipeline/destination.ts';
import type { RevisionTraffic } from '../report/traffic-window.ts';
import type { RouteTable } from '../routing/route-table.ts';
import type { ClientTally } from './client-tally.ts';

interface Seen {
  requests: number;
  errors: number;
  readonly latencyBuckets: number[];
}

interface Refusals {
  readonly project: string;
  readonly service: string;
  readonly limit: RateLimit;
  refused: number;
}

export interface ViewerDeps {
  readonly gateway: string;
  readonly core: GatewayCore;
  readonly table: RouteTable;
  readonly clients: ClientTally;
  /** All destinations with requests in flight or waiting; others may be among them. */
  readonly busy: () => Iterable<Destination>;
  readonly clock: Clock;
  readonly registryLive: () => boolean;
  readonly invalidRoutes: Feeds['invalidRoutes'];
  readonly sharedLimits: () => GatewayView['sharedLimits'];
  /** Of this process, in bytes and in microseconds since its start. */
  readonly usage: () => { readonly residentBytes: number; readonly cpuMicros: number };
}

/** Puts together what an operator sees of this process. Only what was busy is looked at, however many routes there are. */
export class Viewer {
  readonly #deps: ViewerDeps;
  readonly #startedAt: string;
  #seen = new Map<Destination, Seen>();
  #refusals = new Map<RateLimit, Refusals>();
  readonly #ejected = new Map<Instance, Destination>();
  #since: number;
  #cpuMicros: number;
  #before: { ended: number[]; accepted: number; refused: number };

  constructor(deps: ViewerDeps) {
    this.#deps = deps;
    this.#startedAt = isoTime(deps.clock.now());
    this.#since = deps.clock.monotonic();
    this.#cpuMicros = deps.usage().cpuMicros;
    this.#before = this.#counters();
  }

  /** A second of a revision's traffic. */
  onTraffic(destination: Destination, traffic: RevisionTraffic): void {
    let seen = this.#seen.get(destination);
    if (seen === undefined) {
      seen = { requests: 0, errors: 0, latencyBuckets: new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0) };
      this.#seen.set(destination, seen);
    }
    seen.requests += traffic.requests;
    seen.errors += traffic.statusClasses['5xx'];
    for (const [index, count] of traffic.latencyBuckets.entries()) {
      seen.latencyBuckets[index] = (seen.latencyBuckets[index] ?? 0) + count;
    }
  }

  onBreaker(destination: Destination, instance: Instance, open: boolean): void {
    if (open) this.#ejected.set(instance, destination);
    else this.#ejected.delete(instance);
  }

  onLimited(place: { readonly project: string; readonly service: string }, limit: RateLimit): void {
    const known = this.#refusals.get(limit);
    if (known === undefined) this.#refusals.set(limit, { ...place, limit, refused: 1 });
    else known.refused += 1;
  }

  /** Instances that get no requests because too many failed. */
  get ejected(): number {
    for (const [instance, destination] of this.#ejected) {
      // One that left its route while its breaker was open never closes it.
      if (instance.breaker.closed || !destination.instances.includes(instance)) this.#ejected.delete(instance);
    }
    return this.#ejected.size;
  }

  /** Requests in flight and in waiting rooms. */
  totals(): { inFlight: number; waiting: number } {
    const sum = { inFlight: 0, waiting: 0 };
    for (const { traffic, room } of this.#deps.busy()) {
      sum.inFlight += traffic.current;
      sum.waiting += room.size;
    }
    return sum;
  }

  /** Ends the window. */
  take(): GatewayView {
    const { gateway, core, table, clients, clock } = this.#deps;
    const now = clock.monotonic();
    const windowMs = Math.max(1, Math.round(now - this.#since));
    this.#since = now;
    const { residentBytes, cpuMicros } = this.#deps.usage();
    const cpuShare = Math.max(0, (cpuMicros - this.#cpuMicros) / 1000 / windowMs);
    this.#cpuMicros = cpuMicros;
    const before = this.#before;
    const counters = this.#counters();
    this.#before = counters;
    const [c1 = 0, c2 = 0, c3 = 0, c4 = 0, c5 = 0] = counters.ended.map((n, index) => n - (before.ended[index] ?? 0));
    return {
      gateway,
      startedAt: this.#startedAt,
      at: isoTime(clock.now()),
      windowMs,
      draining: core.draining,
      residentBytes,
      cpuShare: Math.round(cpuShare * 1000) / 1000,
      connections: core.connections.size,
      accepted: counters.accepted - before.accepted,
      refused: counters.refused - before.refused,
      statusClasses: { '1xx': c1, '2xx': c2, '3xx': c3, '4xx': c4, '5xx': c5 },
      ...this.totals(),
      instances: table.instances,
      routes: table.size,
      registryLive: this.#deps.registryLive(),
      invalidRouteCount: this.#deps.invalidRoutes.count,
      invalidRoutes: this.#deps.invalidRoutes.list(),
      sharedLimits: this.#deps.sharedLimits(),
      services: this.#takeServices(),
      ejected: this.#listEjected(now),
      limits: this.#takeRefusals(),
      clients: clients.take(core.connections as ReadonlySet<OpenConnection>, VIEW_CLIENTS),
    };
  }

  #counters(): { ended: number[]; accepted: number; refused: number } {
    const { stats } = this.#deps.core;
    return { ended: [...stats.ended], accepted: stats.connections, refused: stats.refused };
  }

  #takeServices(): GatewayView['services'] {
    const seen = this.#seen;
    this.#seen = new Map();
    return [...seen]
      .sort(([, a], [, b]) => b.requests - a.requests)
      .slice(0, VIEW_SERVICES)
      .flatMap(([destination, { requests, errors, latencyBuckets }]) => {
        const { revision, traffic, room, instances } = destination;
        if (revision === null) return [];
        return {
          project: revision.project,
          service: revision.service,
          revision: revision.revisionName,
          requests,
          errors,
          p95Ms: latencyQuantile(latencyBuckets, 0.95),
          inFlight: traffic.current,
          waiting: room.size,
          ready: instances.filter(({ ready }) => ready).length,
          instances: instances.length,
        };
      });
  }

  #listEjected(now: number): GatewayView['ejected'] {
    const listed: GatewayView['ejected'] = [];
    if (this.ejected === 0) return listed;
    for (const [instance, destination] of this.#ejected) {
      const { revision } = destination;
      if (revision === null || listed.length >= VIEW_EJECTED) continue;
      listed.push({
        project: revision.project,
        service: revision.service,
        revision: revision.revisionName,
        instanceId: instance.id,
        failures: instance.breaker.failures,
        retryInMs: Math.max(0, Math.round(instance.breaker.openUntil - now)),
      });
    }
    return listed;
  }

  #takeRefusals(): GatewayView['limits'] {
    const refusals = [...this.#refusals.values()];
    this.#refusals = new Map();
    return refusals
      .sort((a, b) => b.refused - a.refused)
      .slice(0, VIEW_SERVICES)
      .map(({ project, service, limit, refused }) => ({
        project,
        service,
        limit: limit.name,
        per: limit.per,
        refused,
      }));
  }
}
