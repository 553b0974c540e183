import { isEvent, OPERATIONS } from '@skyrun/contracts';
import { problemOf, until } from '@skyrun/testing';
import { describe, expect, it } from 'vitest';
import { ADMIN, ENVIRONMENT, startIdentity } from '../identity.fixture.ts';
import { useIdentity } from '../running.fixture.ts';

const { databaseUrl, identity, query, signUp, signIn } = useIdentity();

describe('first run', () => {
  it('makes the administrator and the first project once, and a second start changes nothing', async () => {
    const admin = await signIn(ADMIN.email, ADMIN.password);
    expect(admin.user).toMatchObject({ email: ADMIN.email, admin: true });
    const second = await startIdentity(databaseUrl(), { ...ENVIRONMENT, SKYRUN_ADMIN_PASSWORD: 'another-password' });
    await second.stop();
    const projects = await identity().as(admin.accessToken).call(OPERATIONS.listProjects);
    expect(projects.items.filter(({ name }) => name === 'demo')).toMatchObject([{ role: 'owner' }]);
    await signIn(ADMIN.email, ADMIN.password);
    const rows = await query('select 1 from users where admin');
    expect(rows.rows).toHaveLength(1);
  });

  it('tells of both through the outbox', async () => {
    await until(() => identity().events.some((event) => event.type === 'skyrun.member.added.v1'));
    const created = identity().events.find((event) => isEvent(event, 'skyrun.project.created.v1'));
    expect(created).toMatchObject({ source: '/skyrun/identity', subject: 'projects/demo', project: 'demo' });
    const text = JSON.stringify(identity().events);
    expect(text).not.toContain(ADMIN.password);
  });
});

describe('accounts', () => {
  it('signs up in lower case, signs in, and tells who one is', async () => {
    const { user, accessToken } = await signUp();
    expect(user.email).toMatch(/^person\d+@example\.com$/);
    expect(await identity().as(accessToken).call(OPERATIONS.getMe)).toEqual(user);
    const again = await signIn(user.email.toUpperCase(), 'correct horse battery');
    expect(again.user).toEqual(user);
  });

  it('refuses an e-mail that is taken, whatever its case', async () => {
    const { user } = await signUp();
    const body = { email: user.email.toUpperCase(), password: 'another password', name: 'Other' };
    const problem = await problemOf(identity().as(null).call(OPERATIONS.signUp, { body }));
    expect(problem.code).toBe('resource.already_exists');
  });

  it('makes one account of two sign-ups at once', async () => {
    const body = { email: 'twice@example.com', password: 'correct horse battery', name: 'Twice' };
    const results = await Promise.allSettled(
      [1, 2, 3].map(() => identity().as(null).call(OPERATIONS.signUp, { body })),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
  });

  it('stores passwords as argon2id and refresh tokens as digests', async () => {
    const { refreshToken, user } = await signUp();
    const { rows } = await query<{ secret: string }>('select secret from credentials where subject = $1', [user.email]);
    expect(rows[0]?.secret).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    const all = await query<{ dump: string }>(
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
    const closed = await startIdentity(databaseUrl(), { ...ENVIRONMENT, SKYRUN_SIGNUP_ENABLED: 'false' });
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

    identity().clock.shiftMs += 1_100;
    expect((await problemOf(signIn(user.email, 'wrong password', from))).code).toBe('auth.invalid_credentials');
    const longer = await problemOf(signIn(user.email, 'correct horse battery', from));
    expect(longer.retryAfterSeconds).toBe(2);

    identity().clock.shiftMs += 2_100;
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
