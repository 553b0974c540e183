import type { TeamRoute } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import { type AddressPolicy, permittedAddresses } from '../push/address.ts';
import type { Registrations } from './registrations.ts';

/** A host's addresses are asked again after this. */
const RESOLVED_MS = 30_000;

interface Resolved {
  /** Null: it has none, or one that may not be called. */
  readonly address: string | null;
  readonly until: number;
}

/**
 * Where gateways reach teams' services: copies that are there and not unhealthy, with an `http:` address that may be called.
 * Names are resolved here and addresses handed on, so that a name cannot lead elsewhere after it was checked.
 */
export function createTeamRoutes(options: { registrations: Registrations; addresses: AddressPolicy; clock: Clock }) {
  const { registrations, addresses, clock } = options;
  const resolved = new Map<string, Resolved>();

  async function addressOf(host: string): Promise<string | null> {
    const now = clock.monotonic();
    const known = resolved.get(host);
    if (known !== undefined && known.until > now) return known.address;
    let address: string | null = null;
    try {
      address = (await permittedAddresses(host, addresses))[0]?.address ?? null;
    } catch {
      // Not permitted, or no such name: the copy is left out, and its registration says how it is.
      address = null;
    }
    for (const [name, { until }] of resolved) if (until <= now) resolved.delete(name);
    resolved.set(host, { address, until: now + RESOLVED_MS });
    return address;
  }

  return async (): Promise<TeamRoute[]> => {
    const routes = new Map<string, { project: string; name: string; copies: TeamRoute['copies'] }>();
    for (const { id, project, name, address } of await registrations.reachable()) {
      const url = new URL(address);
      const ip = await addressOf(url.hostname);
      if (ip === null) continue;
      const key = `${name}.${project}`;
      const route = routes.get(key) ?? { project, name, copies: [] };
      route.copies.push({ id, address: ip, port: url.port === '' ? 80 : Number(url.port) });
      routes.set(key, route);
    }
    return [...routes.values()];
  };
}

export type TeamRoutes = ReturnType<typeof createTeamRoutes>;
