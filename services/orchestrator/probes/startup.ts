import type { RevisionTemplate } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import type { Ask } from './ask.ts';

export interface StartupProbe {
  readonly instanceId: string;
  readonly address: string;
  readonly template: RevisionTemplate;
  readonly ask: Ask;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** While so young, an instance is asked often: a cold start waits for the answer. */
const EAGER_FOR_MS = 2_000;
/** Whether a port is open costs next to nothing to ask; a program costs a process each time. */
const EAGER_PERIOD_MS = { tcp: 5, http: 15, exec: 100 } as const;

/** True as soon as the instance answers, false when its deadline is over. Rejects when the signal aborts. */
export async function awaitStartup(options: StartupProbe): Promise<boolean> {
  const { instanceId, address, template, ask, clock, signal } = options;
  const probe = template.startupProbe;
  const { periodMs, timeoutMs, deadlineSeconds } = probe;
  const eagerMs = EAGER_PERIOD_MS[probe.kind];
  const began = clock.monotonic();
  const deadline = began + deadlineSeconds * 1000;
  for (;;) {
    signal.throwIfAborted();
    if (await ask({ instanceId, address, template, probe, timeoutMs })) return true;
    const now = clock.monotonic();
    if (now >= deadline) return false;
    const period = now - began < EAGER_FOR_MS ? Math.min(eagerMs, periodMs) : periodMs;
    await clock.sleep(period, signal);
  }
}
