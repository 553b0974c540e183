import { Resolver } from 'node:dns/promises';
import { challengeHost, type Found, isWildcard, type Records } from './proofs.ts';

const ASK_MS = 3000;
const TRIES = 2;
/** Aliases of aliases that are followed. */
const MOST_ALIASES = 4;

/** Asks the DNS what proves a domain. */
export type Lookup = (name: string) => Promise<Found>;

/** `server`: `address` or `address:port` of the resolver to ask; undefined: those of the system. */
export function createLookup(server: string | undefined): Lookup {
  const resolver = new Resolver({ timeout: ASK_MS, tries: TRIES });
  if (server !== undefined) resolver.setServers([server]);

  const txt = async (host: string): Promise<Records> =>
    await records(async () => (await resolver.resolveTxt(host)).map((pieces) => pieces.join('')));

  const aliases = async (host: string): Promise<Records> => {
    const chain: string[] = [];
    for (let name = host; chain.length < MOST_ALIASES; ) {
      const next = await records(() => resolver.resolveCname(name));
      if (next === null) return chain.length === 0 ? null : chain;
      const [target] = next;
      if (target === undefined) return chain;
      chain.push(target);
      name = target;
    }
    return chain;
  };

  return async (name) => {
    const [proof, cname] = await Promise.all([txt(challengeHost(name)), isWildcard(name) ? [] : aliases(name)]);
    return { txt: proof, cname };
  };
}

/** That there is none is an answer; that nobody answers is not. */
async function records(ask: () => Promise<string[]>): Promise<Records> {
  try {
    return await ask();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENODATA' || code === 'ENOTFOUND' ? [] : null;
  }
}
