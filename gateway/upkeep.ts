import type { Clock } from '@skyrun/kit/base';
import type { Buckets, SharedBuckets } from './limit/buckets.ts';
import { type Meter, WINDOW_MS } from './meter/meter.ts';
import type { GatewayCore } from './pipeline/core.ts';
import type { Destination } from './pipeline/destination.ts';
import type { Dispatch } from './pipeline/dispatch.ts';

/** How often bounds that only time can break are looked at. */
const SWEEP_MS = 100;

/** What time alone asks of a gateway: bounds that run out, limits to be shared, windows that end, connections that are idle. */
export function createUpkeep(options: {
  readonly core: GatewayCore;
  readonly dispatch: Dispatch;
  readonly meter: Meter;
  readonly buckets: Buckets;
  /** Null: this gateway limits on its own. */
  readonly sharedBuckets: SharedBuckets | null;
  readonly destinations: () => Iterable<Destination>;
  readonly clock: Clock;
}): { start(): void; stop(): void } {
  const { core, dispatch, meter, buckets, sharedBuckets, destinations, clock } = options;
  let cancelSweep: () => void = () => undefined;
  let cancelWindow: () => void = () => undefined;
  const sweep = () => {
    core.now = clock.monotonic();
    for (const connection of core.connections) connection.check(core.now);
    dispatch.sweep(core.now);
    if (sharedBuckets !== null) void buckets.share(sharedBuckets, () => clock.monotonic());
    cancelSweep = clock.setTimeout(SWEEP_MS, sweep);
  };
  const rollWindow = () => {
    const now = clock.now();
    meter.roll(clock.monotonic(), now);
    buckets.sweep(core.now);
    for (const destination of destinations()) {
      for (const instance of destination.instances) instance.upstreams.sweep(core.now);
    }
    cancelWindow = clock.setTimeout(WINDOW_MS - (now % WINDOW_MS), rollWindow);
  };
  return {
    start() {
      sweep();
      rollWindow();
    },
    stop() {
      cancelSweep();
      cancelWindow();
    },
  };
}
