import { createHash, randomBytes } from 'node:crypto';

const HINT_CHARACTERS = 8;

/** A fresh key: told once, kept as its digest. */
export function makeKey(): { readonly key: string; readonly digest: Buffer; readonly hint: string } {
  const key = `sk_${randomBytes(32).toString('base64url')}`;
  return { key, digest: createHash('sha256').update(key).digest(), hint: key.slice(0, HINT_CHARACTERS) };
}
