import { isDeepStrictEqual } from 'node:util';
import type { Route } from '@skyrun/contracts';

export interface RouteDiff {
  readonly upserts: readonly Route[];
  /** Hosts. */
  readonly removes: readonly string[];
}

/** What turns one table into another. */
export function diffRoutes(before: ReadonlyMap<string, Route>, after: ReadonlyMap<string, Route>): RouteDiff {
  return {
    upserts: [...after.values()].filter((route) => !isDeepStrictEqual(before.get(route.host), route)),
    removes: [...before.keys()].filter((host) => !after.has(host)),
  };
}
