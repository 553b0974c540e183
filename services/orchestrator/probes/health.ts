import type { HealthProbe } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';

/** What the answers so far say. */
export interface Health {
  readonly well: boolean;
  /** In a row. */
  readonly failures: number;
  readonly successes: number;
}

/** One more answer: so many failures in a row make it unwell, so many successes well again. Pure. */
export function countAnswer(
  { well, failures, successes }: Health,
  answer: boolean,
  { failureThreshold, successThreshold }: Pick<HealthProbe, 'failureThreshold' | 'successThreshold'>,
): Health {
  const next = answer ? { failures: 0, successes: successes + 1 } : { failures: failures + 1, successes: 0 };
  if (well) return { ...next, well: next.failures < failureThreshold };
  return { ...next, well: next.successes >= successThreshold };
}

export interface HealthWatch {
  readonly probe: HealthProbe;
  /** Whether it counts as well at first. */
  readonly well: boolean;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Rejects where nothing can be said. */
  ask(): Promise<boolean>;
  /** True when the news was taken; otherwise it is told again with the next answer. */
  onChange(well: boolean): Promise<boolean>;
}

/** Asks until the signal aborts. An answer that cannot be had counts as none. */
export async function watchHealth({ probe, well, clock, signal, ask, onChange }: HealthWatch): Promise<void> {
  let health: Health = { well, failures: 0, successes: 0 };
  await clock.sleep(probe.initialDelaySeconds * 1000, signal);
  while (!signal.aborted) {
    const answer = await ask().catch(() => null);
    if (signal.aborted) return;
    if (answer !== null) {
      const next = countAnswer(health, answer, probe);
      const taken = next.well === health.well || (await onChange(next.well));
      health = taken ? next : { ...next, well: health.well };
    }
    await clock.sleep(probe.periodSeconds * 1000, signal);
  }
}
