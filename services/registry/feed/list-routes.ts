import { type GatewayRoute, OPERATIONS, type PolicyMark, type Route, type ServicePolicy } from '@skyrun/contracts';
import { decodeCursor, encodeCursor, type Page } from '../paging.ts';
import { platformPrefixes } from './platform-prefixes.ts';

const LIST = 'gateway-routes';

interface Query {
  readonly limit: number;
  readonly cursor?: string | undefined;
  readonly text?: string | undefined;
}

/**
 * The route table for people: page by page, by host, the platform's own routes last. Hosts are put in order once for each
 * state of the table; a search goes through them from where the page before ended until the page is full.
 */
export function createRouteListing(baseDomain: string): {
  /** @throws Problem `request.invalid` for a cursor that is not of this list */
  page(table: ReadonlyMap<string, Route>, query: Query): Page<GatewayRoute> & { readonly total: number };
} {
  const platform = platformRoutes(baseDomain);
  let ordered: { readonly table: ReadonlyMap<string, Route>; readonly hosts: readonly string[] } | undefined;
  return {
    page(table, { limit, cursor, text = '' }) {
      if (ordered?.table !== table) ordered = { table, hosts: [...table.keys()].sort() };
      const { hosts } = ordered;
      const wanted = text.trim().toLowerCase();
      const items: GatewayRoute[] = [];
      const total = platform.length + hosts.length;
      for (
        let index = cursor === undefined ? 0 : after(decodeCursor(LIST, cursor), platform, hosts);
        index < total;
        index += 1
      ) {
        const own = platform[index - hosts.length];
        const route = table.get(hosts[index] ?? '');
        const found =
          own ?? (route !== undefined && matches(route, wanted) ? toGatewayRoute(route, baseDomain) : undefined);
        if (found === undefined || (own !== undefined && !matchesPlatform(own, wanted))) continue;
        const last = items.at(-1);
        if (items.length === limit && last !== undefined)
          return { items, nextCursor: encodeCursor(LIST, keyOf(last)), total };
        items.push(found);
      }
      return { items, nextCursor: null, total };
    },
  };
}

/** `/…` for a path of the platform, otherwise the host. */
function keyOf({ kind, host, pathPrefix }: GatewayRoute): string {
  return kind === 'platform' ? pathPrefix : host;
}

/** Position of the first route behind the one of a key, which may be gone by now. */
function after(key: string, platform: readonly GatewayRoute[], hosts: readonly string[]): number {
  if (key.startsWith('/')) return hosts.length + platform.filter(({ pathPrefix }) => pathPrefix <= key).length;
  let [low, high] = [0, hosts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((hosts[middle] ?? '') <= key) low = middle + 1;
    else high = middle;
  }
  return low;
}

function matches({ host, project, service }: Route, text: string): boolean {
  return text === '' || host.includes(text) || `${project}/${service}`.includes(text);
}

function matchesPlatform({ host, pathPrefix, service }: GatewayRoute, text: string): boolean {
  return host.includes(text) || pathPrefix.includes(text) || service.includes(text);
}

function platformRoutes(baseDomain: string): GatewayRoute[] {
  return platformPrefixes(Object.values(OPERATIONS)).map(({ path, service }) => ({
    host: baseDomain,
    pathPrefix: path,
    kind: 'platform',
    project: null,
    service,
    revisions: [],
    sticky: false,
    blocked: null,
    policy: [],
  }));
}

function toGatewayRoute(route: Route, baseDomain: string): GatewayRoute {
  const { host, project, service, targets, policy } = route;
  const own = !host.endsWith(`.${baseDomain}`);
  return {
    host,
    pathPrefix: '/',
    kind: own ? 'domain' : host.includes('---') ? 'tag' : 'service',
    project,
    service,
    revisions: targets.map(({ revisionName, percent, protocol, instances }) => ({
      name: revisionName,
      percent,
      protocol,
      ready: instances.filter(({ state }) => state === 'ready').length,
    })),
    sticky: route.sticky === true,
    blocked: route.blocked ?? null,
    policy: policy === undefined ? [] : policyMarks(policy),
  };
}

/** What a policy asks or does, in the order in which a request meets it. */
export function policyMarks(policy: ServicePolicy): PolicyMark[] {
  const marks: readonly (readonly [PolicyMark, boolean])[] = [
    ['maintenance', policy.maintenance !== undefined],
    ['addresses', policy.allow.length > 0 || policy.deny.length > 0],
    ['cors', policy.cors !== undefined],
    ['members', policy.invoker === 'members'],
    ['rate-limits', policy.rateLimits.length > 0],
    ['body-limit', policy.maxRequestBytes !== undefined],
    ['waiting-page', policy.waitingPage],
    ['timeouts', policy.firstByteTimeoutMs !== undefined || policy.idleTimeoutMs !== undefined],
    ['breaker', policy.breaker !== undefined],
    ['slow-start', policy.slowStartMs > 0],
    ['multiplexing', policy.multiplexing !== undefined],
    ['pipelining', policy.pipelining !== undefined],
    ['cost', policy.showCost === true],
  ];
  return marks.flatMap(([mark, set]) => (set ? [mark] : []));
}
