import { gatewayCalls, servicePolicy, type TeamRoute } from '@skyrun/contracts';
import { type Client, type Clock, createTicker, type Logger, type Ticker } from '@skyrun/kit/base';
import { Guard, type GuardDeps } from '../guard/guard.ts';
import { Destination, Instance } from '../pipeline/destination.ts';
import type { RoomBounds } from '../waiting/waiting-room.ts';

const EVERY_MS = 2000;
/** A team's own service is for its members; it has no public address of its own. */
const MEMBERS_ONLY = servicePolicy.parse({ invoker: 'members' });

export interface TeamEntry {
  readonly destination: Destination;
  readonly guard: Guard;
}

/**
 * Services that teams run themselves and have registered: `<name>.<project>.<base domain>` → the copies that are there. Not
 * metered and never started from here. While the registry of team services is away, the last ones stay.
 */
export class TeamRoutes {
  #entries = new Map<string, TeamEntry>();
  #baseDomain: string;
  #roomBounds: RoomBounds;
  #guardDeps: GuardDeps;

  constructor(options: { baseDomain: string; roomBounds: RoomBounds; guardDeps: GuardDeps }) {
    this.#baseDomain = options.baseDomain;
    this.#roomBounds = options.roomBounds;
    this.#guardDeps = options.guardDeps;
  }

  find(host: string): TeamEntry | undefined {
    return this.#entries.get(host);
  }

  destinations(): Destination[] {
    return Array.from(this.#entries.values(), ({ destination }) => destination);
  }

  update(routes: readonly TeamRoute[]): void {
    const next = new Map<string, TeamEntry>();
    for (const route of routes) {
      const host = `${route.name}.${route.project}.${this.#baseDomain}`;
      const entry = this.#entries.get(host) ?? this.#create(route);
      replaceCopies(entry.destination, route, this.#guardDeps.monotonic());
      next.set(host, entry);
    }
    for (const [host, { destination }] of this.#entries) if (!next.has(host)) destination.retire();
    this.#entries = next;
  }

  #create({ project, name }: TeamRoute): TeamEntry {
    const now = this.#guardDeps.monotonic;
    return {
      destination: new Destination({
        name: `${name}.${project}`,
        revision: null,
        unavailable: `No registered copy of ${name} answers. Is it running, and does its address lead to it from here?`,
        containerConcurrency: 0,
        timeoutMs: 0,
        roomBounds: this.#roomBounds,
        now,
      }),
      guard: new Guard(MEMBERS_ONLY, {
        project,
        service: name,
        serviceId: `team/${name}`,
        kind: 'team',
        deps: this.#guardDeps,
      }),
    };
  }
}

/** Copies that are still there keep their connections and what they have in flight. */
function replaceCopies(destination: Destination, route: TeamRoute, now: number): void {
  const known = new Map(destination.instances.map((instance) => [instance.id, instance]));
  destination.instances = route.copies.map(({ id, address, port }) => {
    const instance = known.get(id);
    if (instance === undefined || instance.address !== address || instance.port !== port) {
      return new Instance({ id, address, port, revision: null, now });
    }
    known.delete(id);
    return instance;
  });
  for (const gone of known.values()) gone.drain();
}

/** Asks for the registered copies for as long as the gateway lives. */
export function createTeamFeed(options: {
  readonly client: Pick<Client, 'call'>;
  readonly routes: TeamRoutes;
  readonly clock: Clock;
  readonly logger: Logger;
}): Pick<Ticker, 'start' | 'stop'> {
  const { client, routes, clock, logger } = options;
  let reachable = true;
  return createTicker({
    name: 'gateway.team-routes',
    clock,
    logger,
    everyMs: EVERY_MS,
    async run(signal) {
      try {
        routes.update((await client.call(gatewayCalls.listTeamRoutes, { signal })).items);
        reachable = true;
      } catch (error) {
        if (reachable && !signal.aborted)
          logger.warn({ error }, 'registered services are not known; the last ones stay');
        reachable = false;
      }
    },
  });
}
