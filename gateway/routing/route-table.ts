import { isDeepStrictEqual } from 'node:util';
import type { Route, RouteTarget } from '@skyrun/contracts';
import type { Guard } from '../guard/guard.ts';
import type { MeteredRevision } from '../meter/meter.ts';
import { Destination, type Instance } from '../pipeline/destination.ts';
import type { RoomBounds } from '../waiting/waiting-room.ts';
import { pickTarget, wildcardOf } from './hosts.ts';

interface Share {
  readonly percent: number;
  readonly destination: Destination;
}

export interface RouteEntry {
  readonly route: Route;
  readonly shares: readonly Share[];
  /** What the service asks of its requests; null: nothing. */
  readonly guard: Guard | null;
}

export interface RouteTableOptions {
  readonly roomBounds: RoomBounds;
  /** Monotonic ms. */
  readonly now: () => number;
  readonly guardOf: (route: Route) => Guard | null;
  /** An instance's breaker opened or closed. */
  readonly onBreaker: (destination: Destination, instance: Instance, open: boolean) => void;
  /** Instances came or went: whoever waits there may be served now. */
  readonly onChanged: (destination: Destination) => void;
  /** No route leads there any more; `hosts` it was reached by, for those who wait. */
  readonly onRetired: (destination: Destination, host: string) => void;
}

/** When a long piece of work is to let others have their turn. */
export interface Turns {
  over(): boolean;
  pause(): Promise<void>;
}

/**
 * Host → revisions, built when a route changes and only looked up by requests. A revision keeps its destination, with
 * its instances' connections and requests in flight, for as long as any route leads to it.
 */
export class RouteTable {
  #hosts = new Map<string, RouteEntry>();
  /** How many of the hosts are wildcards. */
  #wildcards = 0;
  #destinations = new Map<string, Destination>();
  #instances = 0;
  /** What was looked up last, which mostly comes again: as the same text, whose characters need not be compared. */
  #lastHost = '';
  #lastEntry: RouteEntry | undefined;
  #options: RouteTableOptions;

  constructor(options: RouteTableOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#hosts.size;
  }

  /** Of all destinations. */
  get instances(): number {
    return this.#instances;
  }

  entries(): IterableIterator<RouteEntry> {
    return this.#hosts.values();
  }

  destinations(): IterableIterator<Destination> {
    return this.#destinations.values();
  }

  /** The host's own route. */
  at(host: string): RouteEntry | undefined {
    return this.#hosts.get(host);
  }

  /** The host's own route, or that of all names one label below another. */
  find(host: string): RouteEntry | undefined {
    if (host !== this.#lastHost) {
      this.#lastEntry = this.#lookUp(host);
      this.#lastHost = host;
    }
    return this.#lastEntry;
  }

  #lookUp(host: string): RouteEntry | undefined {
    const exact = this.#hosts.get(host);
    return exact !== undefined || this.#wildcards === 0 ? exact : this.#hosts.get(wildcardOf(host));
  }

  /** Comes after each change of the hosts. */
  #forgetLast(): void {
    this.#lastHost = '';
    this.#lastEntry = undefined;
  }

  /** The revision that one request of a host goes to. */
  pick(host: string, point: number): Destination | null {
    const entry = this.find(host);
    return entry === undefined ? null : (pickTarget(entry.shares, point)?.destination ?? null);
  }

  /**
   * Makes `routes` the whole table: which revisions a host leads to changes for all hosts at once. What the routes say of
   * a revision's own instances and bounds is in force as they are gone through, with turns for requests between.
   */
  async replace(routes: readonly Route[], turns: Turns): Promise<void> {
    const hosts = new Map<string, RouteEntry>();
    const left: [string, RouteEntry][] = [];
    let wildcards = 0;
    for (const route of routes) {
      const { host } = route;
      const twice = hosts.get(host);
      if (twice !== undefined) left.push([host, twice]);
      else if (host.startsWith('*.')) wildcards += 1;
      hosts.set(host, this.#enter(route, twice ?? this.#hosts.get(host)));
      if (turns.over()) await turns.pause();
    }
    const before = this.#hosts;
    this.#hosts = hosts;
    this.#wildcards = wildcards;
    this.#forgetLast();
    for (const each of [left, before]) {
      for (const [host, entry] of each) {
        this.#unlink(entry, host);
        if (turns.over()) await turns.pause();
      }
    }
    for (const entry of hosts.values()) {
      this.#tell(entry);
      if (turns.over()) await turns.pause();
    }
  }

  upsert(route: Route): void {
    const old = this.#hosts.get(route.host);
    if (old === undefined && route.host.startsWith('*.')) this.#wildcards += 1;
    const entry = this.#enter(route, old);
    this.#hosts.set(route.host, entry);
    this.#forgetLast();
    this.#unlink(old, route.host);
    this.#tell(entry);
  }

  remove(host: string): void {
    const old = this.#hosts.get(host);
    if (this.#hosts.delete(host) && host.startsWith('*.')) this.#wildcards -= 1;
    this.#forgetLast();
    this.#unlink(old, host);
  }

  /** What the route leads to, told of it. */
  #enter(route: Route, old: RouteEntry | undefined): RouteEntry {
    const shares = route.targets.map((target) => ({
      percent: target.percent,
      destination: this.#destination(route, target),
    }));
    for (const { destination } of shares) destination.routes += 1;
    return { route, shares, guard: this.#guard(old, route) };
  }

  #tell(entry: RouteEntry): void {
    for (const { destination } of entry.shares) this.#options.onChanged(destination);
  }

  /** A guard is kept while its policy is the same. */
  #guard(old: RouteEntry | undefined, route: Route): Guard | null {
    const same =
      old !== undefined && old.route.serviceId === route.serviceId && isDeepStrictEqual(old.route.policy, route.policy);
    return same ? old.guard : this.#options.guardOf(route);
  }

  #destination(route: Route, target: RouteTarget): Destination {
    const revision = meteredRevision(route, target);
    let destination = this.#destinations.get(target.revisionId);
    if (destination === undefined) {
      destination = new Destination({
        name: target.revisionName,
        revision,
        containerConcurrency: target.containerConcurrency,
        timeoutMs: target.timeoutMs,
        roomBounds: this.#options.roomBounds,
        now: this.#options.now,
        onBreaker: this.#options.onBreaker,
      });
      this.#destinations.set(target.revisionId, destination);
    }
    this.#instances -= destination.instances.length;
    destination.update(revision, target, route.policy);
    this.#instances += destination.instances.length;
    return destination;
  }

  #unlink(entry: RouteEntry | undefined, host: string): void {
    if (entry === undefined) return;
    for (const { destination } of entry.shares) {
      destination.routes -= 1;
      if (destination.routes > 0 || destination.revision === null) continue;
      this.#destinations.delete(destination.revision.revisionId);
      this.#instances -= destination.instances.length;
      destination.retire();
      this.#options.onRetired(destination, host);
    }
  }
}

function meteredRevision(route: Route, target: RouteTarget): MeteredRevision {
  return {
    project: route.project,
    service: route.service,
    serviceId: route.serviceId,
    revisionId: target.revisionId,
    revisionName: target.revisionName,
    billingMode: target.billingMode,
    cpuMilli: target.cpuMilli,
    memoryMib: target.memoryMib,
  };
}
