import { Problem } from '@skyrun/contracts';
import { backoff, type Clock } from '@skyrun/kit';

const PATIENCE_MS = 30_000;

/** Asks again while nobody answers, or says to come back later; for calls that may be repeated. */
export async function untilAnswered<Answer>(clock: Clock, ask: () => Promise<Answer>): Promise<Answer> {
  const delay = backoff({ baseMs: 100, maxMs: 2_000 });
  const until = clock.monotonic() + PATIENCE_MS;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      const later =
        error instanceof Problem && (error.code === 'platform.unavailable' || error.code === 'gateway.rate_limited');
      if (!later || clock.monotonic() > until) throw error;
      await clock.sleep(Math.max(delay(attempt), (error.retryAfterSeconds ?? 0) * 1_000));
    }
  }
}
