import { OPERATIONS } from '@skyrun/contracts';
import { problemOf } from '@skyrun/testing';
import { describe, expect, it } from 'vitest';
import { useIdentity } from '../running.fixture.ts';
import { REUSE_GRACE_MS } from '../sessions/decide.ts';

const { identity, signUp, refresh } = useIdentity();

describe('sessions', () => {
  it('gives new tokens for a refresh token, and the new one works again', async () => {
    const first = await signUp();
    const second = await refresh(first.refreshToken);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    const third = await refresh(second.refreshToken);
    expect(await identity().as(third.accessToken).call(OPERATIONS.getMe)).toEqual(first.user);
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
    identity().clock.shiftMs += waitMs;
    expect((await problemOf(refresh(refreshToken))).code).toBe('auth.refresh_reused');
    expect((await problemOf(refresh(newest))).code).toBe('auth.invalid_token');
    expect((await problemOf(refresh(refreshToken))).code).toBe('auth.invalid_token');
  });

  it('is over after sign-out, which may be repeated', async () => {
    const { refreshToken } = await signUp();
    await identity().as(null).call(OPERATIONS.signOut, { body: { refreshToken } });
    await identity().as(null).call(OPERATIONS.signOut, { body: { refreshToken } });
    expect((await problemOf(refresh(refreshToken))).code).toBe('auth.invalid_token');
    await identity()
      .as(null)
      .call(OPERATIONS.signOut, { body: { refreshToken: 'never given' } });
  });

  it('expires when it is idle', async () => {
    const { refreshToken } = await signUp();
    const shift = 15 * 86_400_000;
    identity().clock.shiftMs += shift;
    const problem = await problemOf(refresh(refreshToken));
    identity().clock.shiftMs -= shift;
    expect(problem.code).toBe('auth.invalid_token');
  });
});
