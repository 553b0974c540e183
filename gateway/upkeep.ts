import type { Clock } from '@skyrun/kit/base';
import type { Buckets, SharedBuckets } from './limit/buckets.ts';
import type { HeapTrim } from './memory/trim.ts';
import { type Meter, WINDOW_MS } from './meter/meter.ts';
import { askTime, type GatewayCore, type OpenConnection } from './pipeline/core.ts';
import type { Dispatch } from './pipeline/dispatch.ts';

/** How often bounds that only time can break are looked at. */
const SWEEP_MS = 100;
/** Connections that are looked at before others have their turn: of thousands, all at once would hold up every request. */
const AT_ONCE = 200;

/** What time alone asks of a gateway: bounds that run out, limits to be shared, windows that end, connections that are idle. */
export function createUpkeep(options: {
  readonly core: GatewayCore;
  readonly dispatch: Dispatch;
  readonly meter: Meter;
  readonly buckets: Buckets;
  /** Null: this gateway limits on its own. */
  readonly sharedBuckets: SharedBuckets | null;
  readonly trim: HeapTrim;
  readonly clock: Clock;
}): { start(): void; stop(): void } {
  const { core, dispatch, meter, buckets, sharedBuckets, trim, clock } = options;
  let cancelSweep: () => void = () => undefined;
  let cancelWindow: () => void = () => undefined;
  let stopped = false;
  const sweep = () => {
    askTime(core);
    check(core.connections.values());
    dispatch.sweep(core.now);
    if (sharedBuckets !== null) void buckets.share(sharedBuckets, () => clock.monotonic());
  };
  /** Those that come or go meanwhile are no matter to an iterator of a set. */
  const check = (connections: Iterator<OpenConnection>) => {
    for (let count = 0; count < AT_ONCE; count += 1) {
      const { done, value } = connections.next();
      if (done === true) {
        cancelSweep = clock.setTimeout(SWEEP_MS, sweep);
        return;
      }
      value.check(core.now);
    }
    setImmediate(() => {
      if (stopped) return;
      askTime(core);
      check(connections);
    });
  };
  const rollWindow = () => {
    const now = clock.now();
    meter.roll(clock.monotonic(), now);
    buckets.sweep(core.now);
    let busy = false;
    for (const instance of core.warm) {
      busy ||= instance.inFlight > 0;
      instance.upstreams.sweep(core.now);
      if (instance.inFlight > 0 || !instance.upstreams.empty) continue;
      instance.warm = false;
      core.warm.delete(instance);
    }
    trim.look({ activity: core.stats.activity, busy }, core.now);
    cancelWindow = clock.setTimeout(WINDOW_MS - (now % WINDOW_MS), rollWindow);
  };
  return {
    start() {
      sweep();
      rollWindow();
    },
    stop() {
      stopped = true;
      cancelSweep();
      cancelWindow();
    },
  };
}
