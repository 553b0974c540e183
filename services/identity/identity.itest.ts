import { isEvent, OPERATIONS, type Tokens } from '@skyrun/contracts';
import { silentLogger } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { testDatabase } from '@skyrun/testing';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  ADMIN,
  ENVIRONMENT,
  INTERNAL_TOKEN,
  problemOf,
  type Running,
  startIdentity,
  until,
} from './identity.fixture.ts';
import { REUSE_GRACE_MS } from './sessions/decide.ts';

describe('identity', () => {
  let url: string;
  let drop: () => Promise<void>;
  let db: Database;
  let identity: Running;
  let people = 0;

  beforeAll(async () => {
    ({ url, drop } = await testDatabase('identity'));
    db = createDatabase({ url, schema: 'identity', applicationName: 'identity-test', logger: silentLogger });
    identity = await startIdentity(url);
  });
  afterAll(async () => {
    await identity.stop();
    await db.close();
    await drop();
  });

  const signUp = (): Promise<Tokens> => {
    people += 1;
    const body = { email: `Person${people}@Example.com`, password: 'correct horse battery', name: `Person ${people}` };
    return identity.as(null).call(OPERATIONS.signUp, { body });
  };
  const signIn = (email: string, password: string, address?: string) =>
    identity.as(null, address).call(OPERATIONS.signIn, { body: { email, password } });
  const refresh = (refreshToken: string) => identity.as(null).call(OPERATIONS.refresh, { body: { refreshToken } });

  describe('first run', () => {
    it('makes the administrator and the first project once, and a second start changes nothing', async () => {
      const admin = await signIn(ADMIN.email, ADMIN.password);
      expect(admin.user).toMatchObject({ email: ADMIN.email, admin: true });
      const second = await startIdentity(url, { ...ENVIRONMENT, SKYRUN_ADMIN_PASSWORD: 'another-password' });
      await second.stop();
      const projects = await identity.as(admin.accessToken).call(OPERATIONS.listProjects);
      expect(projects.items.filter(({ name }) => name === 'demo')).toMatchObject([{ role: 'owner' }]);
      await signIn(ADMIN.email, ADMIN.password);
      const rows = await db.query('select 1 from users where admin');
      expect(rows.rows).toHaveLength(1);
    });

    it('tells of both through the outbox', async () => {
      await until(() => identity.events.some((event) => event.type === 'skyrun.member.added.v1'));
      const created = identity.events.find((event) => isEvent(event, 'skyrun.project.created.v1'));
      expect(created).toMatchObject({ source: '/skyrun/identity', subject: 'projects/demo', project: 'demo' });
      const text = JSON.stringify(identity.events);
      expect(text).not.toContain(ADMIN.password);
    });
  });

  describe('accounts', () => {
    it('signs up in lower case, signs in, and tells who one is', async () => {
      const { user, accessToken } = await signUp();
      expect(user.email).toBe(`person${people}@example.com`);
      expect(await identity.as(accessToken).call(OPERATIONS.getMe)).toEqual(user);
      const again = await signIn(user.email.toUpperCase(), 'correct horse battery');
      expect(again.user).toEqual(user);
    });

    it('refuses an e-mail that is taken, whatever its case', async () => {
      const { user } = await signUp();
      const body = { email: user.email.toUpperCase(), password: 'another password', name: 'Other' };
      const problem = await problemOf(identity.as(null).call(OPERATIONS.signUp, { body }));
      expect(problem.code).toBe('resource.already_exists');
    });

    it('makes one account of two sign-ups at once', async () => {
      const body = { email: 'twice@example.com', password: 'correct horse battery', name: 'Twice' };
      const results = await Promise.allSettled(
        [1, 2, 3].map(() => identity.as(null).call(OPERATIONS.signUp, { body })),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });

    it('stores passwords as argon2id and refresh tokens as digests', async () => {
      const { refreshToken, user } = await signUp();
      const { rows } = await db.query<{ secret: string }>('select secret from credentials where subject = $1', [
        user.email,
      ]);
      expect(rows[0]?.secret).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
      const all = await db.query<{ dump: string }>(
        `select string_agg(t::text, ' ') as dump from (select * from refresh_tokens) t`,
      );
      expect(all.rows[0]?.dump).not.toContain(refreshToken);
    });

    it('answers an unknown e-mail like a wrong password, in words and in work', async () => {
      const { user } = await signUp();
      const attempts = async (email: string, network: string) => {
        const before = process.cpuUsage();
        const answers: unknown[] = [];
        for (let n = 0; n < 5; n += 1) {
          answers.push((await problemOf(signIn(email, 'wrong password', `${network}.${n}`))).toDetails());
        }
        const used = process.cpuUsage(before);
        return { answers, cpu: used.user + used.system };
      };
      const known: number[] = [];
      const unknown: number[] = [];
      for (let round = 0; round < 4; round += 1) {
        const wrong = await attempts(user.email, `198.18.${round}`);
        const nobody = await attempts('nobody@example.com', `198.19.${round}`);
        expect(nobody.answers).toEqual(wrong.answers);
        expect(wrong.answers[0]).toMatchObject({ code: 'auth.invalid_credentials' });
        known.push(wrong.cpu);
        unknown.push(nobody.cpu);
      }
      // Time of the processor and not of the wall, which the machine's other work would distort, and the least of each, as
      // compiling and collecting only add. Without the decoy's hash the ratio is about a third.
      const ratio = Math.min(...unknown) / Math.min(...known);
      expect(ratio).toBeGreaterThan(0.55);
      expect(ratio).toBeLessThan(1.8);
    });

    it('refuses sign-up when it is disabled', async () => {
      const closed = await startIdentity(url, { ...ENVIRONMENT, SKYRUN_SIGNUP_ENABLED: 'false' });
      const body = { email: 'stranger@example.com', password: 'correct horse battery', name: 'Stranger' };
      const problem = await problemOf(closed.as(null).call(OPERATIONS.signUp, { body }));
      expect(problem.code).toBe('auth.signup_disabled');
      await closed.stop();
    });
  });

  describe('throttling', () => {
    it('locks an account for one address after failures, longer each time, and lets others in', async () => {
      const { user } = await signUp();
      const from = '198.51.100.7';
      for (let tries = 0; tries < 5; tries += 1) {
        expect((await problemOf(signIn(user.email, 'wrong password', from))).code).toBe('auth.invalid_credentials');
      }
      const locked = await problemOf(signIn(user.email, 'correct horse battery', from));
      expect(locked).toMatchObject({ code: 'auth.throttled', status: 429, retryAfterSeconds: 1 });
      await signIn(user.email, 'correct horse battery', '198.51.100.8');

      identity.clock.shiftMs += 1_100;
      expect((await problemOf(signIn(user.email, 'wrong password', from))).code).toBe('auth.invalid_credentials');
      const longer = await problemOf(signIn(user.email, 'correct horse battery', from));
      expect(longer.retryAfterSeconds).toBe(2);

      identity.clock.shiftMs += 2_100;
      await signIn(user.email, 'correct horse battery', from);
      expect((await problemOf(signIn(user.email, 'wrong password', from))).code).toBe('auth.invalid_credentials');
      await signIn(user.email, 'correct horse battery', from);
    });

    it('lets a burst of parallel guesses past the lock at most as often as there are slots', async () => {
      const { user } = await signUp();
      const guesses = Array.from({ length: 40 }, () => problemOf(signIn(user.email, 'wrong password', '198.51.100.9')));
      const codes = (await Promise.all(guesses)).map(({ code }) => code);
      const tried = codes.filter((code) => code === 'auth.invalid_credentials').length;
      expect(tried).toBeGreaterThanOrEqual(5);
      expect(tried).toBeLessThanOrEqual(7);
      expect(codes.filter((code) => code === 'auth.throttled')).toHaveLength(40 - tried);
    });
  });

  describe('sessions', () => {
    it('gives new tokens for a refresh token, and the new one works again', async () => {
      const first = await signUp();
      const second = await refresh(first.refreshToken);
      expect(second.refreshToken).not.toBe(first.refreshToken);
      const third = await refresh(second.refreshToken);
      expect(await identity.as(third.accessToken).call(OPERATIONS.getMe)).toEqual(first.user);
    });

    it('answers retries and tabs at once with the same next token', async () => {
      let { refreshToken } = await signUp();
      // Several rounds: connections that are still being made would keep the first ones apart.
      for (let round = 0; round < 5; round += 1) {
        const current = refreshToken;
        const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(current)));
        expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1);
        refreshToken = answers[0]?.refreshToken ?? '';
      }
    });

    it.each([
      ['after the grace', REUSE_GRACE_MS + 1_000, false],
      ['within the grace, once the next one was used', 0, true],
    ])('ends the session when a token is used again %s', async (_, waitMs, useNext) => {
      const { refreshToken } = await signUp();
      let newest = (await refresh(refreshToken)).refreshToken;
      if (useNext) newest = (await refresh(newest)).refreshToken;
      identity.clock.shiftMs += waitMs;
      expect((await problemOf(refresh(refreshToken))).code).toBe('auth.refresh_reused');
      expect((await problemOf(refresh(newest))).code).toBe('auth.invalid_token');
      expect((await problemOf(refresh(refreshToken))).code).toBe('auth.invalid_token');
    });

    it('is over after sign-out, which may be repeated', async () => {
      const { refreshToken } = await signUp();
      await identity.as(null).call(OPERATIONS.signOut, { body: { refreshToken } });
      await identity.as(null).call(OPERATIONS.signOut, { body: { refreshToken } });
      expect((await problemOf(refresh(refreshToken))).code).toBe('auth.invalid_token');
      await identity.as(null).call(OPERATIONS.signOut, { body: { refreshToken: 'never given' } });
    });

    it('expires when it is idle', async () => {
      const { refreshToken } = await signUp();
      const shift = 15 * 86_400_000;
      identity.clock.shiftMs += shift;
      const problem = await problemOf(refresh(refreshToken));
      identity.clock.shiftMs -= shift;
      expect(problem.code).toBe('auth.invalid_token');
    });
  });

  describe('access tokens', () => {
    it('carry the claims of the contract and verify by the public keys alone', async () => {
      const admin = await signIn(ADMIN.email, ADMIN.password);
      const claims = decodeJwt(admin.accessToken);
      expect(claims).toMatchObject({ iss: 'skyrun', aud: 'skyrun-api', admin: true, projects: { demo: 'owner' } });
      expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBe(600);
      const { keys } = await identity.as(null).call(OPERATIONS.getKeys);
      expect(keys).toMatchObject([{ kid: decodeProtectedHeader(admin.accessToken).kid, crv: 'Ed25519', use: 'sig' }]);
      expect(JSON.stringify(keys)).not.toContain('"d"');
    });

    it('are refused when expired, changed or of another installation', async () => {
      const { accessToken } = await signUp();
      const shift = 601_000;
      identity.clock.shiftMs += shift;
      expect((await problemOf(identity.as(accessToken).call(OPERATIONS.getMe))).code).toBe('auth.invalid_token');
      identity.clock.shiftMs -= shift;
      const [head, body, signature] = accessToken.split('.');
      const forged = JSON.parse(Buffer.from(body ?? '', 'base64url').toString());
      const changed = Buffer.from(JSON.stringify({ ...forged, admin: true })).toString('base64url');
      const calls = [`${head}.${changed}.${signature}`, 'not.a.token'];
      for (const token of calls) {
        expect((await problemOf(identity.as(token).call(OPERATIONS.getMe))).code).toBe('auth.invalid_token');
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
      const during = await two
        .as(null)
        .call(OPERATIONS.signIn, { body: { email: body.email, password: body.password } });
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
      const { rows } = await db.query<{ private_key: Buffer }>('select private_key from signing_keys');
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

  describe('projects', () => {
    it('belong to who makes them; others see neither them nor their members', async () => {
      const owner = await signUp();
      const stranger = await signUp();
      const project = await identity.as(owner.accessToken).call(OPERATIONS.createProject, { body: { name: 'shop' } });
      expect(project).toMatchObject({ name: 'shop', displayName: 'shop', role: 'owner' });
      // The owner's token was signed before: the look-up answers for it.
      expect(await identity.as(owner.accessToken).call(OPERATIONS.getProject, { params: { project: 'shop' } })).toEqual(
        project,
      );
      const peek = identity.as(stranger.accessToken);
      const params = { project: 'shop' };
      expect((await problemOf(peek.call(OPERATIONS.getProject, { params }))).code).toBe('auth.forbidden');
      expect((await problemOf(peek.call(OPERATIONS.listMembers, { params }))).code).toBe('auth.forbidden');
      expect((await identity.as(stranger.accessToken).call(OPERATIONS.listProjects)).items).toEqual([]);
      const taken = identity.as(stranger.accessToken).call(OPERATIONS.createProject, { body: { name: 'shop' } });
      expect((await problemOf(taken)).code).toBe('resource.already_exists');
    });

    it('are listed in pages without a gap; a foreign cursor is refused', async () => {
      const { accessToken } = await signUp();
      const client = identity.as(accessToken);
      const names = ['page-a', 'page-b', 'page-c', 'page-d', 'page-e'];
      for (const name of names) await client.call(OPERATIONS.createProject, { body: { name } });
      const seen: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await client.call(OPERATIONS.listProjects, { query: { limit: 2, cursor } });
        seen.push(...page.items.map(({ name }) => name));
        cursor = page.nextCursor ?? undefined;
      } while (cursor);
      expect(seen).toEqual(names);
      const problem = await problemOf(client.call(OPERATIONS.listProjects, { query: { cursor: '!!' } }));
      expect(problem).toMatchObject({ code: 'request.invalid', errors: [{ field: '#query/cursor' }] });
    });

    it('take members by e-mail with a role, whose permissions hold at once', async () => {
      const owner = await signUp();
      const viewer = await signUp();
      const client = identity.as(owner.accessToken);
      const params = { project: 'team' };
      await client.call(OPERATIONS.createProject, { body: { name: 'team' } });
      const body = { email: viewer.user.email, role: 'viewer' } as const;
      const added = await client.call(OPERATIONS.addMember, { params, body });
      expect(added).toMatchObject({ userId: viewer.user.id, role: 'viewer' });
      expect((await problemOf(client.call(OPERATIONS.addMember, { params, body }))).code).toBe(
        'resource.already_exists',
      );
      const unknown = client.call(OPERATIONS.addMember, { params, body: { email: 'no@example.com', role: 'viewer' } });
      expect((await problemOf(unknown)).code).toBe('resource.not_found');

      const asViewer = identity.as(viewer.accessToken);
      expect((await asViewer.call(OPERATIONS.getProject, { params })).role).toBe('viewer');
      expect((await asViewer.call(OPERATIONS.listMembers, { params })).items).toHaveLength(2);
      const grab = asViewer.call(OPERATIONS.addMember, { params, body: { email: ADMIN.email, role: 'owner' } });
      expect((await problemOf(grab)).code).toBe('auth.forbidden');
    });

    it('keep at least one owner, also when two owners remove each other at once', async () => {
      const one = await signUp();
      const two = await signUp();
      const client = identity.as(one.accessToken);
      await client.call(OPERATIONS.createProject, { body: { name: 'duel' } });
      const remove = (by: Tokens, userId: string, project = 'duel') =>
        identity.as(by.accessToken).call(OPERATIONS.removeMember, { params: { project, userId } });
      expect((await problemOf(remove(one, one.user.id))).code).toBe('resource.in_use');
      expect((await problemOf(remove(one, two.user.id))).code).toBe('resource.not_found');
      for (const project of ['duel-a', 'duel-b', 'duel-c', 'duel-d']) {
        await client.call(OPERATIONS.createProject, { body: { name: project } });
        const body = { email: two.user.email, role: 'owner' } as const;
        await client.call(OPERATIONS.addMember, { params: { project }, body });
        // Both are known as owners, so neither is refused before the two meet.
        for (const each of [one, two]) {
          await identity.as(each.accessToken).call(OPERATIONS.getProject, { params: { project } });
        }
        const results = await Promise.allSettled([
          remove(one, two.user.id, project),
          remove(two, one.user.id, project),
        ]);
        expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
        const { rows } = await db.query(
          `select 1 from members join projects on projects.id = project_id where name = $1 and role = 'owner'`,
          [project],
        );
        expect(rows).toHaveLength(1);
      }
    });

    it('tell of every change in order, with its sequence', async () => {
      const owner = await signUp();
      const guest = await signUp();
      const client = identity.as(owner.accessToken);
      const params = { project: 'told' };
      await client.call(OPERATIONS.createProject, { body: { name: 'told', displayName: 'Told' } });
      await client.call(OPERATIONS.addMember, { params, body: { email: guest.user.email, role: 'billing' } });
      await client.call(OPERATIONS.removeMember, { params: { ...params, userId: guest.user.id } });
      const told = () => identity.events.filter((event) => event.project === 'told');
      await until(() => told().length === 4);
      expect(told().map(({ type, sequence }) => [type, sequence])).toEqual([
        ['skyrun.project.created.v1', 1],
        ['skyrun.member.added.v1', 2],
        ['skyrun.member.added.v1', 3],
        ['skyrun.member.removed.v1', 4],
      ]);
    });

    it('are open to administrators, and getAccess to the platform only', async () => {
      const owner = await signUp();
      await identity.as(owner.accessToken).call(OPERATIONS.createProject, { body: { name: 'seen' } });
      const admin = await signIn(ADMIN.email, ADMIN.password);
      const project = await identity.as(admin.accessToken).call(OPERATIONS.getProject, { params: { project: 'seen' } });
      expect(project.role).toBeUndefined();
      const nowhere = identity.as(admin.accessToken).call(OPERATIONS.getProject, { params: { project: 'nowhere' } });
      expect((await problemOf(nowhere)).code).toBe('resource.not_found');
      const ask = (project: string, userId: string) =>
        identity.as(INTERNAL_TOKEN).call(OPERATIONS.getAccess, { query: { userId, project } });
      expect(await ask('seen', owner.user.id)).toEqual({ role: 'owner', projectExists: true });
      expect(await ask('seen', 'nobody')).toEqual({ role: null, projectExists: true });
      expect(await ask('nowhere', owner.user.id)).toEqual({ role: null, projectExists: false });
      const query = { userId: owner.user.id, project: 'seen' };
      const asAdmin = identity.as(admin.accessToken).call(OPERATIONS.getAccess, { query });
      expect((await problemOf(asAdmin)).code).toBe('auth.forbidden');
    });
  });

  it('writes every change into the audit log, without a secret', async () => {
    const { rows } = await db.query<{ action: string; line: string }>(
      'select action, a::text as line from audit_log a order by id',
    );
    const actions = new Set(rows.map(({ action }) => action));
    for (const action of ['user.create', 'session.open', 'session.refuse', 'session.revoke', 'project.create']) {
      expect(actions).toContain(action);
    }
    expect(actions).toContain('member.remove');
    expect(rows.some(({ line }) => /password|horse|skr_/.test(line))).toBe(false);
  });
});
