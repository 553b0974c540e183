import { OPERATIONS } from '@skyrun/contracts';
import { silentLogger } from '@skyrun/kit';
import { createDatabase } from '@skyrun/postgres';
import { problemOf, testDatabase } from '@skyrun/testing';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { describe, expect, it } from 'vitest';
import { ADMIN, ENVIRONMENT, type Running, startIdentity } from '../identity.fixture.ts';
import { useIdentity } from '../running.fixture.ts';

const { identity, query, signUp, signIn } = useIdentity();

describe('access tokens', () => {
  it('carry the claims of the contract and verify by the public keys alone', async () => {
    const admin = await signIn(ADMIN.email, ADMIN.password);
    const claims = decodeJwt(admin.accessToken);
    expect(claims).toMatchObject({ iss: 'skyrun', aud: 'skyrun-api', admin: true, projects: { demo: 'owner' } });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600);
    const { keys } = await identity().as(null).call(OPERATIONS.getKeys);
    expect(keys).toMatchObject([{ kid: decodeProtectedHeader(admin.accessToken).kid, crv: 'Ed25519', use: 'sig' }]);
    expect(JSON.stringify(keys)).not.toContain('"d"');
  });

  it('are refused when expired, changed or of another installation', async () => {
    const { accessToken } = await signUp();
    const shift = 601_000;
    identity().clock.shiftMs += shift;
    expect((await problemOf(identity().as(accessToken).call(OPERATIONS.getMe))).code).toBe('auth.invalid_token');
    identity().clock.shiftMs -= shift;
    const [head, body, signature] = accessToken.split('.');
    const forged = JSON.parse(Buffer.from(body ?? '', 'base64url').toString());
    const changed = Buffer.from(JSON.stringify({ ...forged, admin: true })).toString('base64url');
    const calls = [`${head}.${changed}.${signature}`, 'not.a.token'];
    for (const token of calls) {
      expect((await problemOf(identity().as(token).call(OPERATIONS.getMe))).code).toBe('auth.invalid_token');
    }
  });

  it('stay valid through a key rotation, and the old key goes after its last token', async () => {
    const own = await testDatabase('identity_keys');
    const one = await startIdentity(own.url);
    const keysOf = async (running: Running) => (await running.as(null).call(OPERATIONS.getKeys)).keys.length;
    const body = { email: 'keys@example.com', password: 'correct horse battery', name: 'Keys' };
    const before = await one.as(null).call(OPERATIONS.signUp, { body });
    expect(await keysOf(one)).toBe(1);
    await one.stop();

    const rotated = createDatabase({
      url: own.url,
      schema: 'identity',
      applicationName: 'age',
      logger: silentLogger,
    });
    await rotated.query(`update signing_keys set created_at = created_at - interval '31 days'`);
    const two = await startIdentity(own.url);
    expect(await keysOf(two)).toBe(2);
    expect(await two.as(before.accessToken).call(OPERATIONS.getMe)).toEqual(before.user);
    const during = await two.as(null).call(OPERATIONS.signIn, { body: { email: body.email, password: body.password } });
    const kid = (token: string) => decodeProtectedHeader(token).kid;
    expect(kid(during.accessToken)).toBe(kid(before.accessToken));
    await two.stop();

    await rotated.query(`update signing_keys set created_at = created_at - interval '1 hour'`);
    const three = await startIdentity(own.url);
    expect(await keysOf(three)).toBe(1);
    const after = await three
      .as(null)
      .call(OPERATIONS.signIn, { body: { email: body.email, password: body.password } });
    expect(kid(after.accessToken)).not.toBe(kid(before.accessToken));
    await three.stop();
    await rotated.close();
    await own.drop();
  });

  it('are signed by a new key when the secret changes, and stored keys are unreadable', async () => {
    const { accessToken } = await signUp();
    const { rows } = await query<{ private_key: Buffer }>('select private_key from signing_keys');
    expect(rows[0]?.private_key.toString('latin1')).not.toContain('Ed25519');
    const own = await testDatabase('identity_secret');
    const one = await startIdentity(own.url);
    await one.stop();
    const two = await startIdentity(own.url, { ...ENVIRONMENT, SKYRUN_KEY_SECRET: 'b'.repeat(40) });
    const { keys } = await two.as(null).call(OPERATIONS.getKeys);
    expect(keys).toHaveLength(2);
    await two.as(null).call(OPERATIONS.signIn, { body: ADMIN });
    expect((await problemOf(two.as(accessToken).call(OPERATIONS.getMe))).code).toBe('auth.invalid_token');
    await two.stop();
    await own.drop();
  });
});
