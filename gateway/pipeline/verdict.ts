import type { GatewayCore } from './core.ts';
import type { Destination, Instance } from './destination.ts';

/** The instance works: whoever waited for that need not wait for this response to end. */
export function recover(core: GatewayCore, destination: Destination, instance: Instance): void {
  const open = !instance.breaker.closed;
  instance.breaker.onSuccess();
  if (open) core.drainRoom(destination, core.clock.monotonic());
}

/** What a response says about its instance. `sentAt`: monotonic ms at which the request went out. */
export function judge(
  core: GatewayCore,
  destination: Destination,
  instance: Instance,
  status: number,
  sentAt: number,
): void {
  const { breaking } = destination;
  const { breaker } = instance;
  if (breaking?.failureRatio === undefined) {
    if (breaker.failures > 0) recover(core, destination, instance);
    return;
  }
  const now = core.clock.monotonic();
  const slow = breaking.slowerThanMs !== undefined && now - sentAt > breaking.slowerThanMs;
  const open = !breaker.closed;
  const limits = { ratio: breaking.failureRatio, minRequests: breaking.minRequests };
  breaker.observe(status >= 500 || slow, limits, now);
  if (open && breaker.closed) core.drainRoom(destination, now);
}
