import { Problem } from '@skyrun/contracts';
import { createSeal, deriveKey, type Seal } from '@skyrun/kit';

export interface SealedValue {
  readonly sealed: Buffer;
  readonly keyId: string;
}

/** Seals and opens the values of secrets. It opens what earlier keys have sealed, and seals under the newest only. */
export interface Vault {
  /** Tells keys apart without telling anything about them. */
  readonly keyId: string;
  seal(value: string, place: SecretPlace): SealedValue;
  /** @throws Problem `platform.unavailable` where none of the keys fits */
  open(value: SealedValue, place: SecretPlace): string;
}

export interface SecretPlace {
  readonly secretId: string;
  readonly version: number;
}

const PURPOSE = 'skyrun project secrets';

/** @param previousKey what sealed before the key was changed */
export function createVault(key: string, previousKey?: string): Vault {
  const keyId = idOf(key);
  const seals = new Map<string, Seal>();
  for (const each of [key, ...(previousKey === undefined ? [] : [previousKey])]) {
    seals.set(idOf(each), createSeal(each, PURPOSE));
  }
  return {
    keyId,
    seal(value, place) {
      const seal = seals.get(keyId);
      if (seal === undefined) throw new Error('the vault has no key');
      return { sealed: seal.seal(Buffer.from(value), contextOf(place)), keyId };
    },
    open(value, place) {
      const plain = seals.get(value.keyId)?.open(value.sealed, contextOf(place)) ?? null;
      if (plain === null) {
        throw new Problem('platform.unavailable', {
          detail: `A secret was sealed with another key (${value.keyId}); set it as SKYRUN_SECRETS_PREVIOUS_KEY`,
        });
      }
      return plain.toString();
    },
  };
}

function idOf(key: string): string {
  return deriveKey(key, 'skyrun project secrets: name of the key').subarray(0, 4).toString('hex');
}

function contextOf({ secretId, version }: SecretPlace): string {
  return `${secretId}/${version}`;
}
