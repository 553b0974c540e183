import { generateKeyPairSync } from 'node:crypto';
import { TOKEN_AUDIENCE, TOKEN_ISSUER } from '@skyrun/contracts';
import { exportJWK, SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { apiKeyOf, apiKeys } from '../harness/guarded-gateway.ts';
import { Callers, readKeySet } from './callers.ts';

const NOW = 1_700_000_000_000;

async function signed() {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const token = await new SignJWT({ email: 'a@b.test', admin: false, projects: {} })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'one' })
    .setSubject('usr_1')
    .setIssuer(TOKEN_ISSUER)
    .setAudience(TOKEN_AUDIENCE)
    .setIssuedAt(NOW / 1000)
    .setExpirationTime(NOW / 1000 + 300)
    .sign(privateKey);
  return { token, keys: readKeySet({ keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'EdDSA' }] }) };
}

test('a token that was verified once expires all the same', async () => {
  const { token, keys } = await signed();
  const callers = new Callers();
  callers.setKeys(keys);
  expect(callers.identify(token, NOW)).toMatchObject({ claims: { sub: 'usr_1' } });
  expect(callers.identify(token, NOW + 299_999)).toHaveProperty('claims');
  expect(callers.identify(token, NOW + 300_000)).toHaveProperty('fault');
});

test('a token that was verified once is nothing when its key has gone', async () => {
  const { token, keys } = await signed();
  const callers = new Callers();
  callers.setKeys(keys);
  expect(callers.identify(token, NOW)).toHaveProperty('claims');
  callers.setKeys((await signed()).keys);
  expect(callers.identify(token, NOW)).toHaveProperty('fault');
});

test('which API keys were used is told once, and of none that does not hold', () => {
  const callers = new Callers();
  callers.setApiKeys(apiKeys);
  for (const letter of ['a', 'a', 'c', 'x']) callers.identifyApiKey(apiKeyOf(letter), NOW);
  // The one that ended in 2020 held until then.
  expect(callers.takeUsedApiKeys()).toEqual([apiKeys[0]?.id]);
  expect(callers.takeUsedApiKeys()).toEqual([]);
});
