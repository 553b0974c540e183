import type { AnyEvent, Flow, FlowObserved } from '@skyrun/contracts';
import { type Clock, createTicker, isoTime, type Logger, newId } from '@skyrun/kit/base';
import type { EventBus, GroupOptions, Subscription } from './event-bus.ts';

/** How often a consumer says what it has handled. */
const OBSERVE_MS = 5_000;
const MAX_FLOWS = 500;

export interface ObservedBusOptions {
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the team whose groups these are; none for the platform's own. */
  readonly project?: string;
}

interface Tally {
  readonly options: GroupOptions;
  flows: Map<string, Flow>;
  since: number;
}

/**
 * A bus whose consumers say now and then, as an ephemeral event, that they are there and what they handled: that is what the
 * catalogue ("who consumes this") and the service map are drawn from. Ephemeral subscriptions are not told of.
 */
export function observeBus({ bus, clock, logger, project }: ObservedBusOptions): EventBus {
  const tallies = new Set<Tally>();
  const ticker = createTicker({
    name: 'bus.observe',
    clock,
    logger,
    everyMs: OBSERVE_MS,
    async run() {
      if (tallies.size > 0 && bus.ready()) await bus.publish([...tallies].map((tally) => observation(tally)));
    },
  });

  function observation(tally: Tally): AnyEvent {
    const now = clock.monotonic();
    const { group, types } = tally.options;
    const data: FlowObserved = {
      group,
      types: [...types],
      windowMs: Math.round(now - tally.since),
      flows: [...tally.flows.values()],
      ...(project === undefined ? {} : { project }),
    };
    tally.flows = new Map();
    tally.since = now;
    return {
      specversion: '1.0',
      id: newId('event', clock),
      source: '/skyrun/bus',
      type: 'skyrun.flow.observed.v1',
      subject: `groups/${group}`,
      time: isoTime(clock.now()),
      datacontenttype: 'application/json',
      sequence: 0,
      data,
    };
  }

  return {
    publish: (events) => bus.publish(events),
    declareGroup: (options) => bus.declareGroup(options),
    deadLetters: (group) => bus.deadLetters(group),
    ready: () => bus.ready(),
    async subscribe(options): Promise<Subscription> {
      if (options.ephemeral) return bus.subscribe(options);
      const tally: Tally = { options, flows: new Map(), since: clock.monotonic() };
      const subscription = await bus.subscribe({
        ...options,
        async handler(event, context) {
          const from = clock.monotonic();
          let failed = 1;
          try {
            await options.handler(event, context);
            failed = 0;
          } finally {
            count(tally, event, { failed, ms: clock.monotonic() - from });
          }
        },
      });
      tallies.add(tally);
      ticker.start();
      ticker.wake();
      return {
        async close() {
          tallies.delete(tally);
          await subscription.close();
        },
      };
    },
    async close() {
      await ticker.stop();
      await bus.close();
    },
  };
}

function count(tally: Tally, event: AnyEvent, { failed, ms }: { readonly failed: number; readonly ms: number }): void {
  const key = `${event.source} ${event.type} ${event.project ?? ''}`;
  const known = tally.flows.get(key);
  if (!known && tally.flows.size >= MAX_FLOWS) return;
  tally.flows.set(key, {
    source: event.source,
    type: event.type,
    ...(event.project === undefined ? {} : { project: event.project }),
    handled: (known?.handled ?? 0) + 1,
    failed: (known?.failed ?? 0) + failed,
    totalMs: Math.round(((known?.totalMs ?? 0) + ms) * 1000) / 1000,
  });
}
