import { createHash, createPublicKey, type JsonWebKey, type KeyObject, verify } from 'node:crypto';
import { type AccessClaims, accessClaims, TOKEN_AUDIENCE, TOKEN_ISSUER } from '@skyrun/contracts';

/** Verified tokens that are kept, so that a client pays for the signature once. */
const MAX_KNOWN = 10_000;

type Verdict = { readonly claims: AccessClaims } | { readonly fault: string };

/** One key of a JWK set (RFC 7517). */
export interface PublicKey {
  readonly kid: string;
  readonly alg: string;
  readonly key: KeyObject;
}

const HASHES: Readonly<Record<string, string | null>> = {
  EdDSA: null,
  Ed25519: null,
  ES256: 'sha256',
  RS256: 'sha256',
};

/** The keys of a JWK set that we can check signatures with. */
export function readKeySet(set: unknown): PublicKey[] {
  if (typeof set !== 'object' || set === null || !('keys' in set) || !Array.isArray(set.keys)) return [];
  return set.keys.flatMap((jwk: JsonWebKey) => {
    const alg = String(jwk['alg'] ?? '');
    if (!(alg in HASHES)) return [];
    try {
      return [{ kid: String(jwk['kid'] ?? ''), alg, key: createPublicKey({ key: jwk, format: 'jwk' }) }];
    } catch {
      // A kind of key that this Node does not know cannot have signed a token for us.
      return [];
    }
  });
}

/** An API key as gateways know it: by its digest. */
export interface KnownApiKey {
  readonly digest: string;
  readonly id: string;
  readonly name: string;
  readonly project: string;
  /** Null: without end. */
  readonly until: string | null;
}

/** Verifies access tokens with identity's public keys, and API keys by their digests, from memory: identity may be gone. */
export class Callers {
  #keys: readonly PublicKey[] = [];
  #known = new Map<string, Verdict>();
  #apiKeys: ReadonlyMap<string, KnownApiKey> | null = null;
  #used = new Set<string>();

  setApiKeys(keys: readonly KnownApiKey[]): void {
    this.#apiKeys = new Map(keys.map((key) => [key.digest, key]));
  }

  /** False until identity has told of them once. */
  get hasApiKeys(): boolean {
    return this.#apiKeys !== null;
  }

  /** The key of a project that is sent; null where no key is like this, or it has ended. `now`: Unix ms. */
  identifyApiKey(text: string, now: number): KnownApiKey | null {
    const known = this.#apiKeys?.get(createHash('sha256').update(text).digest('hex'));
    if (known === undefined || (known.until !== null && Date.parse(known.until) <= now)) return null;
    this.#used.add(known.id);
    return known;
  }

  /** Ids of the keys that were used since this was asked last. */
  takeUsedApiKeys(): string[] {
    const used = [...this.#used];
    this.#used.clear();
    return used;
  }

  setKeys(keys: readonly PublicKey[]): void {
    this.#keys = keys;
    this.#known.clear();
  }

  get hasKeys(): boolean {
    return this.#keys.length > 0;
  }

  /** Who sends the token. `now`: Unix ms. */
  identify(token: string, now: number): Verdict {
    let verdict = this.#known.get(token);
    if (verdict === undefined) {
      verdict = this.#verify(token);
      if (this.#known.size >= MAX_KNOWN) this.#known.clear();
      // An attacker's tokens differ each time; only what holds is worth the room.
      if ('claims' in verdict) this.#known.set(token, verdict);
    }
    if ('claims' in verdict && verdict.claims.exp * 1000 <= now) return { fault: 'the token has expired; refresh it' };
    return verdict;
  }

  #verify(token: string): Verdict {
    const [head, body, signature, more] = token.split('.');
    if (!head || !body || !signature || more !== undefined) return { fault: 'the token is no access token' };
    const header = parse(head);
    const key = this.#keys.find(({ kid, alg }) => kid === header?.['kid'] && alg === header['alg']);
    const hash = HASHES[key?.alg ?? ''];
    if (key === undefined || hash === undefined) return { fault: 'the token is signed with an unknown key' };
    const signed = Buffer.from(`${head}.${body}`);
    const proof = Buffer.from(signature, 'base64url');
    if (!verify(hash, signed, { key: key.key, dsaEncoding: 'ieee-p1363' }, proof)) {
      return { fault: 'the signature of the token does not hold' };
    }
    const payload = parse(body);
    if (payload?.['iss'] !== TOKEN_ISSUER || payload['aud'] !== TOKEN_AUDIENCE) {
      return { fault: 'the token is for somebody else' };
    }
    const claims = accessClaims.safeParse(payload);
    return claims.success ? { claims: claims.data } : { fault: 'the token lacks claims' };
  }
}

function parse(part: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
    return typeof value === 'object' && value !== null ? { ...value } : null;
  } catch {
    return null;
  }
}
