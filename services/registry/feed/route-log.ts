import type { Route, RouteFrame } from '@skyrun/contracts';
import { diffRoutes } from './diff-routes.ts';

/** How many changed hosts are remembered for gateways that come back; older ones get a snapshot. */
const LOG_LENGTH = 50_000;

interface LogEntry {
  readonly version: number;
  readonly host: string;
}

/**
 * The route table with its recent history. Only the changed hosts are remembered, not what they changed to: a delta from
 * any version on holds the newest state of each, so a reader that is behind catches up in one frame, however much it missed.
 */
export interface RouteLog {
  readonly epoch: string;
  version(): number;
  routes(): ReadonlyMap<string, Route>;
  /** Replaces the whole table; true where that changed anything. */
  replace(routes: readonly Route[]): boolean;
  /** What brings a reader from `version` to now: a delta, or a snapshot where the log does not reach back so far. */
  frameSince(position: { epoch: string; version: number } | null): RouteFrame;
  /** Whether the log still reaches back to a version of this epoch. */
  reaches(version: number): boolean;
}

export function createRouteLog(epoch: string, length = LOG_LENGTH): RouteLog {
  let table: ReadonlyMap<string, Route> = new Map();
  let version = 0;
  let log: LogEntry[] = [];
  /** Changes up to this version are forgotten. */
  let forgotten = 0;

  const reaches = (from: number) => from >= forgotten && from <= version;

  return {
    epoch,
    version: () => version,
    routes: () => table,
    reaches,
    replace(routes) {
      const next = new Map(routes.map((route) => [route.host, route]));
      const { upserts, removes } = diffRoutes(table, next);
      if (upserts.length === 0 && removes.length === 0) return false;
      version += 1;
      table = next;
      for (const host of [...upserts.map((route) => route.host), ...removes]) log.push({ version, host });
      if (log.length > length) {
        const dropped = log.length - length;
        forgotten = log[dropped - 1]?.version ?? forgotten;
        log = log.filter((entry) => entry.version > forgotten);
      }
      return true;
    },
    frameSince(position) {
      if (position === null || position.epoch !== epoch || !reaches(position.version)) {
        return { kind: 'snapshot', epoch, version, routes: [...table.values()] };
      }
      const hosts = new Set(log.filter((entry) => entry.version > position.version).map(({ host }) => host));
      const upserts = [...hosts].flatMap((host) => table.get(host) ?? []);
      const removes = [...hosts].filter((host) => !table.has(host));
      return { kind: 'delta', epoch, version, upserts, removes };
    },
  };
}
