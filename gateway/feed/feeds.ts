import { join } from 'node:path';
import type { Client, Clock, Logger } from '@skyrun/kit/base';
import { createPriceFeed, type PriceFeed } from '../cost/price-feed.ts';
import { createApiKeyFeed } from '../guard/api-key-feed.ts';
import type { Callers } from '../guard/callers.ts';
import { createKeyFeed } from '../guard/key-feed.ts';
import type { RouteTable } from '../routing/route-table.ts';
import { createTeamFeed, type TeamRoutes } from '../team/team-routes.ts';
import type { RouteChange } from './feed-state.ts';
import { InvalidRoutes } from './invalid-routes.ts';
import { createRouteFeed } from './route-feed.ts';
import type { Slices } from './slices.ts';

/** What a gateway hears from the control plane, and goes on with when that is gone. */
export interface Feeds extends Pick<PriceFeed, 'rates'> {
  /** Routes are known, from the registry or from the disk. */
  known(): boolean;
  /** The registry answers. */
  live(): boolean;
  /** Routes that could not be taken as they came. */
  readonly invalidRoutes: Pick<InvalidRoutes, 'count' | 'serving' | 'list'>;
  /** Resolves when what was kept on disk is in force. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createFeeds(options: {
  readonly registry: Pick<Client, 'stream'>;
  readonly identity: Pick<Client, 'call'>;
  readonly events: Pick<Client, 'call'>;
  readonly billing: Pick<Client, 'call'>;
  readonly table: RouteTable;
  readonly teams: TeamRoutes;
  readonly callers: Callers;
  /** Routes and keys lie in it. */
  readonly dataDir: string;
  readonly clock: Clock;
  readonly logger: Logger;
}): Feeds {
  const { registry, identity, events, billing, table, teams, callers, dataDir, clock, logger } = options;
  const invalidRoutes = new InvalidRoutes(logger);
  const routes = createRouteFeed({
    client: registry,
    path: join(dataDir, 'routes.journal'),
    clock,
    logger,
    apply: (change, slices) => applyChange(table, change, slices),
    *routes() {
      for (const { route } of table.entries()) yield route;
    },
    routeOf: (host) => table.at(host)?.route,
    invalid: invalidRoutes,
  });
  const prices = createPriceFeed({ client: billing, clock, logger });
  const ofTeams = createTeamFeed({ client: events, routes: teams, clock, logger });
  const keys = createKeyFeed({ client: identity, callers, path: join(dataDir, 'keys.json'), clock, logger });
  const apiKeys = createApiKeyFeed({ client: identity, callers, path: join(dataDir, 'api-keys.json'), clock, logger });
  return {
    rates: prices.rates,
    known: () => routes.known(),
    live: () => routes.live(),
    invalidRoutes,
    async start() {
      prices.start();
      await Promise.all([routes.start(), keys.start(), apiKeys.start()]);
      ofTeams.start();
    },
    async stop() {
      await Promise.all([routes.stop(), keys.stop(), apiKeys.stop(), prices.stop(), ofTeams.stop()]);
    },
  };
}

async function applyChange(table: RouteTable, change: RouteChange, slices: Slices): Promise<void> {
  if (change.kind === 'replace') await table.replace(change.routes, slices);
  if (change.kind !== 'change') return;
  for (const route of change.upserts) {
    table.upsert(route);
    if (slices.over()) await slices.pause();
  }
  for (const host of change.removes) {
    table.remove(host);
    if (slices.over()) await slices.pause();
  }
}
