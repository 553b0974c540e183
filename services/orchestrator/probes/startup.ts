import type { RevisionTemplate } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import type { Prober } from './probe.ts';

export interface StartupProbe {
  readonly address: string;
  readonly template: RevisionTemplate;
  readonly prober: Prober;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** While so young, an instance is asked often: a cold start waits for the answer. */
const EAGER_FOR_MS = 2_000;
const EAGER_PERIOD_MS = 15;

/** True as soon as the instance answers, false when its deadline is over. Rejects when the signal aborts. */
export async function awaitStartup({ address, template, prober, clock, signal }: StartupProbe): Promise<boolean> {
  const { kind, path, periodMs, timeoutMs, deadlineSeconds } = template.startupProbe;
  const { port, protocol } = template;
  const began = clock.monotonic();
  const deadline = began + deadlineSeconds * 1000;
  for (;;) {
    signal.throwIfAborted();
    if (await prober({ address, port, kind, path, protocol, timeoutMs })) return true;
    const now = clock.monotonic();
    if (now >= deadline) return false;
    const period = now - began < EAGER_FOR_MS ? Math.min(EAGER_PERIOD_MS, periodMs) : periodMs;
    await clock.sleep(period, signal);
  }
}
