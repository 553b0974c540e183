import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Clock, createClient } from '@skyrun/kit';
import type { SignedInClient } from './command.ts';
import type { SessionStore } from './session.ts';

/** A token that ends within this time is renewed first. */
const RENEW_BEFORE_MS = 30_000;

export async function openClient(sessions: SessionStore, clock: Clock): Promise<SignedInClient> {
  const session = await sessions.read();
  if (!session) throw new Problem('auth.required', { detail: 'run: skyrun login' });
  let renewing: Promise<string> | undefined;

  const renew = async (): Promise<string> => {
    const current = (await sessions.read()) ?? session;
    if (current.accessTokenEndsAt - RENEW_BEFORE_MS > clock.now()) return current.accessToken;
    const anonymous = createClient({ baseUrl: current.baseUrl });
    const tokens = await anonymous.call(OPERATIONS.refresh, { body: { refreshToken: current.refreshToken } });
    await sessions.write({
      ...current,
      accessToken: tokens.accessToken,
      accessTokenEndsAt: clock.now() + tokens.expiresInSeconds * 1000,
      refreshToken: tokens.refreshToken,
    });
    return tokens.accessToken;
  };
  const token = () => {
    renewing ??= renew().finally(() => {
      renewing = undefined;
    });
    return renewing;
  };
  return { ...createClient({ baseUrl: session.baseUrl, token }), baseUrl: session.baseUrl, token };
}
