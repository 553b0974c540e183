import { Problem, type Route, type RouteFrame } from '@skyrun/contracts';
import { type Clock, createTicker, type Logger, newId, type Ticker } from '@skyrun/kit';
import type { Database } from '@skyrun/postgres';
import { blockRoutes } from '../paused/paused-projects.ts';
import type { PublicAddress } from '../services/service-state.ts';
import { verifiedDomains } from '../store/domains.ts';
import { pausedProjects } from '../store/paused.ts';
import { CHANGES, completeServices, readServices } from '../store/services.ts';
import { atOneMoment } from '../use-case.ts';
import { buildRoutes } from './build-routes.ts';
import { createChangeSignal, followRoutes } from './follow-routes.ts';
import { createRouteLog } from './route-log.ts';

/**
 * The route table of this process, kept equal to the database: a notification names the service that changed and only its
 * route is built anew; all are built anew now and then, in case a notification was lost.
 */
export interface RouteBook {
  /** Resolves when the table is loaded; before that no frame is given. */
  start(): Promise<void>;
  stop(): Promise<void>;
  loaded(): boolean;
  /** By host. @throws Problem `platform.unavailable` before the table is loaded */
  routes(): ReadonlyMap<string, Route>;
  /** @throws Problem `platform.unavailable` before the table is loaded */
  follow(reader: Reader): AsyncIterable<RouteFrame>;
}

export interface Reader {
  readonly position: { readonly epoch: string; readonly version: number } | null;
  readonly signal: AbortSignal;
  readonly onStall: () => void;
}

/** How often everything is read again although nothing told us to, in milliseconds. */
const RELOAD_MS = 30_000;

export function createRouteBook(options: {
  readonly db: Database;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly address: PublicAddress;
}): RouteBook {
  const { db, clock, logger, address } = options;
  const log = createRouteLog(newId('event', clock));
  const changes = createChangeSignal(clock);
  const stopped = new AbortController();
  let changed = new Set<string>();
  let mustReloadAll = true;
  let reloadedAt = clock.monotonic();
  let loaded = false;
  /** Hosts of each service, to take its routes away when it or a tag is gone. */
  const hosts = new Map<string, Set<string>>();
  const remember = ({ serviceId, host }: Route) => {
    hosts.set(serviceId, (hosts.get(serviceId) ?? new Set()).add(host));
  };
  let stopListening: (() => Promise<void>) | undefined;

  async function readRoutes(ids: readonly string[] | 'all') {
    return await atOneMoment(db, async (store) =>
      blockRoutes(
        buildRoutes(
          await completeServices(store, await readServices(store, ids)),
          address,
          await verifiedDomains(store, ids),
        ),
        await pausedProjects(store),
      ),
    );
  }

  async function reloadAll(): Promise<void> {
    const routes = await readRoutes('all');
    hosts.clear();
    for (const route of routes) remember(route);
    if (log.replace(routes)) changes.raise();
    reloadedAt = clock.monotonic();
    loaded = true;
  }

  async function reloadSome(ids: readonly string[]): Promise<void> {
    const fresh = await readRoutes(ids);
    const table = new Map(log.routes());
    for (const id of ids) {
      for (const host of hosts.get(id) ?? []) {
        // A deleted service's host may belong to a new service of the same name by now.
        if (table.get(host)?.serviceId === id) table.delete(host);
      }
      hosts.delete(id);
    }
    for (const route of fresh) {
      table.set(route.host, route);
      remember(route);
    }
    if (log.replace([...table.values()])) changes.raise();
  }

  async function run(): Promise<void> {
    const ids = changed;
    const all = mustReloadAll || ids.size === 0 || clock.monotonic() - reloadedAt >= RELOAD_MS;
    changed = new Set();
    mustReloadAll = false;
    try {
      if (all) await reloadAll();
      else await reloadSome([...ids]);
    } catch (error) {
      mustReloadAll = true;
      throw error;
    }
  }

  function requireLoaded(): void {
    if (loaded) return;
    throw new Problem('platform.unavailable', { detail: 'Routes are being loaded', retryAfterSeconds: 1 });
  }

  const ticker: Ticker = createTicker({ name: 'registry.routes', clock, logger, everyMs: RELOAD_MS, run });

  return {
    async start() {
      stopListening = await db.listen(CHANGES, (id) => {
        // An empty one says that notifications may have been missed.
        if (id === '') mustReloadAll = true;
        else changed.add(id);
        ticker.wake();
      });
      await run();
      ticker.start();
    },
    async stop() {
      stopped.abort();
      await ticker.stop();
      await stopListening?.();
    },
    loaded: () => loaded,
    routes() {
      requireLoaded();
      return log.routes();
    },
    follow({ position, signal, onStall }) {
      requireLoaded();
      return followRoutes({
        log,
        changes,
        clock,
        position,
        signal: AbortSignal.any([signal, stopped.signal]),
        onStall,
      });
    },
  };
}
