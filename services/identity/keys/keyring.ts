import { randomBytes, type webcrypto } from 'node:crypto';
import type { Clock, Logger, Seal } from '@skyrun/kit';
import { exportJWK, generateKeyPair, importJWK, type JWK } from 'jose';
import { z } from 'zod';
import { deleteKeys, insertKey, lockKeys, readKeys, type StoredKey } from '../store/keys.ts';
import type { Db } from '../store/tables.ts';
import { type KeyPolicy, planKeys } from './plan.ts';

/** Ed25519: short signatures, no parameters to get wrong. */
export const SIGNING_ALGORITHM = 'EdDSA';

export interface SigningKey {
  readonly kid: string;
  readonly privateKey: webcrypto.CryptoKey;
}

export interface KeyringOptions {
  readonly inTransaction: <T>(work: (db: Db) => Promise<T>) => Promise<T>;
  readonly seal: Seal;
  readonly policy: KeyPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Keyring {
  /** Makes, picks and removes keys as the plan says; at start and every minute. */
  rotate(): Promise<void>;
  /** Throws before the first `rotate`. */
  signing(): SigningKey;
}

const publicJwk = z.record(z.string(), z.unknown());

export function createKeyring({ inTransaction, seal, policy, clock, logger }: KeyringOptions): Keyring {
  let current: SigningKey | undefined;

  async function rotate(): Promise<void> {
    const signing = await inTransaction(async (db) => {
      await lockKeys(db);
      let keys = await readKeys(db);
      const state = () =>
        planKeys(
          keys.map((key) => ({ kid: key.kid, createdAt: key.createdAt, usable: openKey(seal, key) !== null })),
          clock.now(),
          policy,
        );
      let plan = state();
      if (plan.create) {
        const key = await makeKey(seal, clock.now());
        await insertKey(db, key);
        logger.info({ kid: key.kid }, 'made a signing key');
        keys = [...keys, key];
        plan = state();
      }
      await deleteKeys(db, plan.remove);
      return keys.find((key) => key.kid === plan.sign);
    });
    if (!signing) throw new Error('there is no signing key');
    if (signing.kid === current?.kid) return;
    const jwk = openKey(seal, signing);
    const privateKey = jwk ? await importJWK(jwk, SIGNING_ALGORITHM) : null;
    if (privateKey === null || privateKey instanceof Uint8Array) throw new Error('the signing key cannot be opened');
    current = { kid: signing.kid, privateKey };
    logger.info({ kid: signing.kid }, 'signing with this key from now on');
  }

  return {
    rotate,
    signing() {
      if (!current) throw new Error('the keyring was not started');
      return current;
    },
  };
}

/** What verifiers fetch; read from the store, so that every replica tells of every key at once. */
export async function publicKeys(db: Db): Promise<Record<string, unknown>[]> {
  const keys = await readKeys(db);
  return keys.map((key) => publicJwk.parse(key.publicJwk));
}

async function makeKey(seal: Seal, now: number): Promise<StoredKey> {
  const kid = randomBytes(12).toString('base64url');
  const pair = await generateKeyPair(SIGNING_ALGORITHM, { crv: 'Ed25519', extractable: true });
  const sealedPrivateKey = seal.seal(Buffer.from(JSON.stringify(await exportJWK(pair.privateKey))), kid);
  const jwk = { ...(await exportJWK(pair.publicKey)), kid, alg: SIGNING_ALGORITHM, use: 'sig' };
  return { kid, publicJwk: jwk, sealedPrivateKey, createdAt: now };
}

const privateJwk = z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: z.string(), d: z.string() });

function openKey(seal: Seal, key: StoredKey): JWK | null {
  const plain = seal.open(key.sealedPrivateKey, key.kid);
  return plain ? privateJwk.parse(JSON.parse(plain.toString('utf8'))) : null;
}
