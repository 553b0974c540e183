import type { EventBus } from '@skyrun/bus';
import type { AnyEvent } from '@skyrun/contracts';
import type { Clock } from '@skyrun/kit';
import { COMMAND_TYPES, ECHO_GROUP } from './names.ts';
import type { Random } from './random.ts';

/** Hears every command's event and, when told to, publishes it again: late, several times, and in another order. */
export interface Echo {
  listen(on: boolean): void;
  /** How many events were published a second time or more often. */
  repeated(): number;
  /** Resolves when nothing is left to be said again. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const LATEST_MS = 2_000;
const MOST = 3;

export async function startEcho(bus: EventBus, random: Random, clock: Clock): Promise<Echo> {
  const heard = new Set<string>();
  const pending = new Set<Promise<void>>();
  let listening = false;
  let repeated = 0;

  const again = async (event: AnyEvent) => {
    await clock.sleep(random.between(0, LATEST_MS));
    // A broker that is away has nothing to repeat; what it then delivers comes from the others.
    await bus.publish([event]).then(
      () => {
        repeated += 1;
      },
      () => undefined,
    );
  };
  const subscription = await bus.subscribe({
    group: ECHO_GROUP,
    types: [...COMMAND_TYPES],
    ordered: false,
    prefetch: 200,
    async handler(event) {
      if (!listening || heard.has(event.id)) return;
      heard.add(event.id);
      for (let times = random.between(1, MOST); times > 0; times -= 1) {
        const saying = again(event).finally(() => pending.delete(saying));
        pending.add(saying);
      }
    },
  });
  return {
    listen(on) {
      listening = on;
    },
    repeated: () => repeated,
    async settled() {
      while (pending.size > 0) await Promise.all(pending);
    },
    close: () => subscription.close(),
  };
}
