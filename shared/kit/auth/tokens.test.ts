import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Permission, TOKEN_AUDIENCE, TOKEN_ISSUER } from '@skyrun/contracts';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import { afterEach, expect, it } from 'vitest';
import { systemClock } from '../clock.ts';
import { createTokenAuthenticator } from './tokens.ts';

const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

/** Identity's keys as `answer` tells them. */
async function authenticatorOf(answer: () => { readonly status: number; readonly body: unknown }) {
  const server = createServer((_request, response) => {
    const { status, body } = answer();
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ends.push(() => new Promise((resolve) => server.close(() => resolve())));
  const identityUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const authenticator = createTokenAuthenticator({ identityUrl, internalToken: 'internal', clock: systemClock });
  const authenticate = (token: string) => authenticator.authenticate({ authorization: `Bearer ${token}` });
  return Object.assign(authenticate, { can: authenticator.can });
}

async function signed() {
  const { publicKey, privateKey } = await generateKeyPair('EdDSA');
  const token = await new SignJWT({ email: 'a@b.test', admin: false, projects: {} })
    .setProtectedHeader({ alg: 'EdDSA', kid: 'one' })
    .setSubject('usr_1')
    .setIssuer(TOKEN_ISSUER)
    .setAudience(TOKEN_AUDIENCE)
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(privateKey);
  return { token, keys: [{ ...(await exportJWK(publicKey)), kid: 'one', alg: 'EdDSA' }] };
}

it.each([
  ['that is starting', { status: 503, body: { code: 'platform.unavailable' } }],
  ['that tells no key set', { status: 200, body: { keys: 'none' } }],
])('an identity %s signs nobody out: the token is as good as before', async (_, first) => {
  const { token, keys } = await signed();
  let answer: { status: number; body: unknown } = first;
  const authenticate = await authenticatorOf(() => answer);
  await expect(authenticate(token)).rejects.toMatchObject({ code: 'platform.unavailable' });
  answer = { status: 200, body: { keys } };
  expect(await authenticate(token)).toMatchObject({ kind: 'user', userId: 'usr_1' });
});

it.each([
  ['no token at all', () => 'abc'],
  ['a token of another signer', async () => (await signed()).token],
])('%s is refused', async (_, make) => {
  const { keys } = await signed();
  const authenticate = await authenticatorOf(() => ({ status: 200, body: { keys } }));
  await expect(authenticate(await make())).rejects.toMatchObject({ code: 'auth.invalid_token' });
});

it('a part of the platform may do what is internal and what is public, and nothing that is a person’s', async () => {
  // Whatever is asked of it, this identity says that the caller owns the project.
  const authenticate = await authenticatorOf(() => ({ status: 200, body: { role: 'owner', projectExists: true } }));
  const caller = await authenticate('internal');
  expect(caller).toMatchObject({ kind: 'internal', admin: false });
  const may = (permission: Permission) => authenticate.can(caller, permission, 'demo');
  expect(await Promise.all([may('internal'), may('public')])).toEqual([true, true]);
  expect(await Promise.all([may('authenticated'), may('admin'), may('services.read')])).toEqual([false, false, false]);
});
