import type { GatewayCore } from './core.ts';
import type { Destination, Instance } from './destination.ts';

/** The instance works: whoever waited for that need not wait for this response to end. */
export function recover(core: GatewayCore, destination: Destination, instance: Instance): void {
  const open = !instance.breaker.closed;
  instance.breaker.onSuccess();
  if (open) core.drainRoom(destination, core.clock.monotonic());
}

/** The head of a response. */
interface Answered {
  readonly status: number;
  /** Since the request went out. */
  readonly tookMs: number;
  /** Monotonic ms. */
  readonly now: number;
}

/** What a response says about its instance. */
export function judge(
  core: GatewayCore,
  destination: Destination,
  instance: Instance,
  { status, tookMs, now }: Answered,
): void {
  const { breaking } = destination;
  const { breaker } = instance;
  if (breaking?.failureRatio === undefined) {
    if (breaker.failures > 0) recover(core, destination, instance);
    return;
  }
  const slow = breaking.slowerThanMs !== undefined && tookMs > breaking.slowerThanMs;
  const open = !breaker.closed;
  const limits = { ratio: breaking.failureRatio, minRequests: breaking.minRequests };
  breaker.observe(status >= 500 || slow, limits, now);
  if (open && breaker.closed) core.drainRoom(destination, now);
}
