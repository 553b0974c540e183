import { backoff, type Clock, type Logger } from '@skyrun/kit/base';
import { BusError, closed, unavailable } from './errors.ts';
import type { EventBus, GroupOptions, SubscribeOptions, Subscription } from './event-bus.ts';

export interface PatientBusOptions {
  readonly bus: EventBus;
  /** Nothing is published before all of them exist: a group gets what is published once it exists. */
  readonly groups: readonly GroupOptions[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * A bus for a process that starts whether its broker is there or not.
 *
 *   broker away ──► publish rejects with `bus.unavailable` (the outbox keeps the events), subscribe waits behind the scenes
 *   broker came ──► groups declared ──► publish works; `ready` when every subscription stands, too
 */
export function patientBus({ bus, groups, clock, logger }: PatientBusOptions): EventBus {
  const stop = new AbortController();
  let declared = false;
  let pending = 0;

  const declareAll = async () => {
    const delay = backoff({ baseMs: 50, maxMs: 2_000 });
    for (let failures = 0; !stop.signal.aborted && !declared; ) {
      try {
        for (const group of groups) await bus.declareGroup(group);
        declared = true;
        if (failures > 0) logger.info({ groups: groups.length }, 'the broker is there; groups declared');
      } catch (error) {
        failures += 1;
        const refused = error instanceof BusError && error.code !== 'bus.unavailable' && error.code !== 'bus.closed';
        if (!stop.signal.aborted) logger[refused ? 'error' : 'debug']({ error, failures }, 'groups not declared yet');
        await clock.sleep(delay(failures), stop.signal).catch((reason: unknown) => {
          if (!stop.signal.aborted) throw reason;
        });
      }
    }
  };
  const declaring = declareAll();

  /** Without a broker the caller goes on, and its handler is called once the broker is there. */
  const subscribeLater = (options: SubscribeOptions): Subscription => {
    let subscription: Subscription | undefined;
    let ended = false;
    pending += 1;
    void bus
      .subscribe(options)
      .then(async (made) => {
        pending -= 1;
        subscription = made;
        if (ended) await made.close();
      })
      .catch((error: unknown) => {
        if (!stop.signal.aborted) logger.error({ group: options.group, error }, 'subscription refused');
      });
    return {
      async close() {
        ended = true;
        await subscription?.close();
      },
    };
  };

  return {
    async publish(events) {
      if (stop.signal.aborted) throw closed();
      if (!declared) throw unavailable('its groups are not declared yet');
      await bus.publish(events);
    },
    subscribe: async (options) => (declared ? bus.subscribe(options) : subscribeLater(options)),
    declareGroup: (options) => bus.declareGroup(options),
    deadLetters: (group) => bus.deadLetters(group),
    ready: () => declared && pending === 0 && bus.ready(),
    async close() {
      stop.abort();
      await bus.close();
      await declaring;
    },
  };
}
