import { randomUUID } from 'node:crypto';
import type { AnyEvent } from '@skyrun/contracts';
import { afterEach, beforeEach } from 'vitest';
import type { EventBus, RetryPolicy, SubscribeOptions, Subscription } from '../event-bus.ts';

/** A broker under test. */
export interface BrokerUnderTest {
  /** A bus as another process would have it; buses of one namespace meet. */
  connect(namespace: string, retry: Partial<RetryPolicy>): Promise<EventBus>;
  /** Puts a message on the broker past every check, as a foreign producer could. */
  inject(namespace: string, type: string, body: string): Promise<void>;
  /** Absent where there is nothing to restart. */
  restart?(): Promise<void>;
}

export const WHEN = '2026-01-01T00:00:00.000Z';
export const RETRY = { maxAttempts: 3, baseMs: 4, maxMs: 20 };
export const PATIENT = { timeout: 60_000, interval: 20 };

export function lost(subject: string, sequence: number): AnyEvent {
  return {
    specversion: '1.0',
    id: `${subject}-${sequence}`,
    source: '/skyrun/conformance',
    type: 'skyrun.usage.lost.v1',
    subject: `gateways/${subject}`,
    time: WHEN,
    datacontenttype: 'application/json',
    sequence,
    data: { gateway: subject, from: WHEN, until: WHEN },
  };
}

/** `count` events of each subject, interleaved, numbered from `first`. */
export function interleaved(subjects: readonly string[], count: number, first = 1): AnyEvent[] {
  return Array.from({ length: count }, (_, index) => subjects.map((subject) => lost(subject, first + index))).flat();
}

/** The events' ids in the order they were first seen, by subject. */
export function firstSeen(events: readonly AnyEvent[]): Record<string, number[]> {
  const seen: Record<string, number[]> = {};
  for (const { subject, sequence } of events) {
    const list = seen[subject] ?? [];
    seen[subject] = list;
    if (!list.includes(sequence)) list.push(sequence);
  }
  return seen;
}

/** What every test works with; made anew for each. */
export interface Workbench {
  readonly name: string;
  readonly broker: () => BrokerUnderTest;
  namespace(): string;
  /** A bus that is closed after the test. */
  connect(retry?: Partial<RetryPolicy>): Promise<EventBus>;
  /** Subscribes to everything of the test and keeps what was handled. */
  collect(
    bus: EventBus,
    options: Partial<SubscribeOptions> & { group: string },
  ): Promise<{ handled: AnyEvent[]; subscription: Subscription }>;
}

export function useWorkbench(name: string, broker: () => BrokerUnderTest): Workbench {
  let namespace: string;
  let buses: EventBus[];

  beforeEach(() => {
    namespace = `t${randomUUID().slice(0, 8)}`;
    buses = [];
  });
  afterEach(async () => {
    await Promise.all(buses.map((bus) => bus.close()));
  });

  return {
    name,
    broker,
    namespace: () => namespace,
    async connect(retry = RETRY) {
      const bus = await broker().connect(namespace, retry);
      buses.push(bus);
      return bus;
    },
    async collect(bus, options) {
      const handled: AnyEvent[] = [];
      const { handler, ...rest } = options;
      const subscription = await bus.subscribe({
        types: ['skyrun.usage.*'],
        ...rest,
        async handler(event, context) {
          await handler?.(event, context);
          handled.push(event);
        },
      });
      return { handled, subscription };
    },
  };
}
