import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createBus, type EventBus } from '@skyrun/bus';
import { runCli } from '@skyrun/cli';
import { apiKey, newApiKey } from '@skyrun/contracts';
import { createIdentityService, identityConfig } from '@skyrun/identity';
import {
  type Authenticator,
  systemClock as clock,
  createHttpServer,
  createMetrics,
  createTokenAuthenticator,
  type HttpServer,
  loadConfig,
  silentLogger as logger,
  type ServiceModule,
} from '@skyrun/kit';
import { temporaryDirectory, testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';

const ADMIN = { email: 'root@example.com', password: 'first-run-password' };

let url: string;
let drop: () => Promise<void>;
let bus: EventBus;
let module: ServiceModule;
let http: HttpServer;
const directory = temporaryDirectory('cli-keys');

beforeAll(async () => {
  const database = await testDatabase('cli_keys');
  ({ drop } = database);
  bus = await createBus({ kind: 'memory', clock, logger });
  const config = loadConfig(identityConfig, {
    SKYRUN_KEY_SECRET: 'a-key-secret-that-is-long-enough-for-tests',
    SKYRUN_ADMIN_EMAIL: ADMIN.email,
    SKYRUN_ADMIN_PASSWORD: ADMIN.password,
    SKYRUN_FIRST_PROJECT: 'demo',
  });
  module = createIdentityService({ config, databaseUrl: database.url, bus, clock, logger });
  let real: Authenticator | undefined;
  // The service asks itself for keys, so its port must be known first.
  const authenticator = () => {
    real ??= createTokenAuthenticator({ identityUrl: url, internalToken: 'internal-token-of-this-test-012345', clock });
    return real;
  };
  http = createHttpServer({
    modules: [module],
    authenticator: {
      authenticate: (headers) => authenticator().authenticate(headers),
      can: (caller, permission, project) => authenticator().can(caller, permission, project),
    },
    logger,
    clock,
    metrics: createMetrics(),
    host: '127.0.0.1',
    port: 0,
  });
  url = `http://127.0.0.1:${(await http.listen()).port}`;
  await module.start();
  const signedIn = await skyrun('login', '--url', url, '--email', ADMIN.email, '--project', 'demo');
  expect(signedIn.code, signedIn.err).toBe(0);
});
afterAll(async () => {
  await http.close(100);
  await module.stop();
  await bus.close();
  await drop();
  directory.remove();
});

async function skyrun(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await runCli(argv, {
    stdout: { write: (text) => out.push(text) },
    stderr: { write: (text) => err.push(text) },
    stdin: Readable.from([]),
    environment: { SKYRUN_SESSION_FILE: join(directory.path, 'session.json'), SKYRUN_PASSWORD: ADMIN.password },
  });
  return { code, out: out.join(''), err: err.join('') };
}

const listed = async () => z.array(apiKey).parse(JSON.parse((await skyrun('keys', '--json')).out));
/** The status that a request with the key is answered with. */
const statusWith = async (key: string) =>
  (await fetch(`${url}/api/v1/projects/demo`, { headers: { authorization: `Bearer ${key}` } })).status;
/** The last line is the key alone, so that `tail -1` pipes it on. */
const keyIn = (out: string) => out.trimEnd().split('\n').at(-1) ?? '';

it('makes a key that works, lists it without its secret, exchanges it and ends it', async () => {
  expect((await skyrun('keys')).out).toContain('No key in demo yet: skyrun keys create NAME');
  const made = await skyrun('keys', 'create', 'checkout', '--role', 'viewer');
  expect(made.code, made.err).toBe(0);
  const first = keyIn(made.out);
  expect(first).toMatch(/^sk_[\w-]{43}$/);
  expect(await statusWith(first)).toBe(200);

  const table = (await skyrun('keys')).out;
  expect(table).toMatch(/checkout\s+sk_\S+…\s+viewer/);
  expect(table).not.toContain(first);
  expect((await listed())[0]).toMatchObject({ name: 'checkout', role: 'viewer', expiresAt: null });

  const rotated = await skyrun('keys', 'rotate', 'checkout', '--grace', '0');
  expect(rotated.code, rotated.err).toBe(0);
  const second = keyIn(rotated.out);
  expect(second).not.toBe(first);
  expect(await statusWith(second)).toBe(200);
  await expect.poll(() => statusWith(first)).toBe(401);

  const revoked = await skyrun('keys', 'revoke', 'checkout');
  expect(revoked).toMatchObject({ code: 0, out: expect.stringContaining('checkout is ended') });
  expect(await listed()).toEqual([]);
  await expect.poll(() => statusWith(second)).toBe(401);
});

it('keeps the key before working for as long as it is told to', async () => {
  const made = newApiKey.parse(JSON.parse((await skyrun('keys', 'create', 'slow', '--days', '3', '--json')).out));
  expect(Date.parse(made.expiresAt ?? '')).toBeGreaterThan(clock.now() + 2 * 86_400_000);
  const rotated = await skyrun('keys', 'rotate', 'slow', '--grace', '10');
  expect(await statusWith(keyIn(rotated.out))).toBe(200);
  expect(await statusWith(made.key)).toBe(200);
  const [known] = await listed();
  expect(Date.parse(known?.previousUntil ?? '')).toBeGreaterThan(clock.now());
  await skyrun('keys', 'revoke', 'slow');
});

it.each<[string, readonly string[], number, string]>([
  ['without a name', ['create'], 2, 'NAME is missing'],
  ['an unknown role', ['create', 'x', '--role', 'owner'], 2, '--role: expected developer, viewer, billing, got owner'],
  ['no days', ['create', 'x', '--days', '0'], 2, '--days: expected 1 to 3650, got 0'],
  ['another word', ['drop', 'x'], 2, 'unexpected argument drop'],
  ['a grace of no number', ['rotate', 'known', '--grace', 'soon'], 2, '--grace: expected minutes'],
  ['a name that is taken', ['create', 'known'], 5, 'resource.already_exists'],
  ['rotating what is not there', ['rotate', 'nope'], 4, 'demo has no key nope; skyrun keys lists them'],
  ['ending what is not there', ['revoke', 'nope'], 4, 'demo has no key nope; skyrun keys lists them'],
])('refuses %s and says what to change', async (_, args, code, text) => {
  const known = (await listed()).some(({ name }) => name === 'known');
  if (!known) expect((await skyrun('keys', 'create', 'known')).code).toBe(0);
  const refused = await skyrun('keys', ...args);
  expect(refused).toMatchObject({ code, err: expect.stringContaining(text) });
  expect((await listed()).map(({ name }) => name)).toEqual(['known']);
});
