import { randomUUID } from 'node:crypto';
import type { AnyEvent } from '@skyrun/contracts';
import { systemClock } from '@skyrun/kit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventBus, RetryPolicy, SubscribeOptions, Subscription } from './event-bus.ts';

/** A broker under test. */
export interface BrokerUnderTest {
  /** A bus as another process would have it; buses of one namespace meet. */
  connect(namespace: string, retry: Partial<RetryPolicy>): Promise<EventBus>;
  /** Puts a message on the broker past every check, as a foreign producer could. */
  inject(namespace: string, type: string, body: string): Promise<void>;
  /** Absent where there is nothing to restart. */
  restart?(): Promise<void>;
}

const WHEN = '2026-01-01T00:00:00.000Z';
const RETRY = { maxAttempts: 3, baseMs: 4, maxMs: 20 };
const PATIENT = { timeout: 30_000, interval: 20 };

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

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** What every broker must do. `open` is called once per test file's broker. */
export function busConformance(name: string, broker: () => BrokerUnderTest): void {
  describe(`bus conformance: ${name}`, () => {
    let namespace: string;
    let buses: EventBus[];

    beforeEach(() => {
      namespace = `t${randomUUID().slice(0, 8)}`;
      buses = [];
    });
    afterEach(async () => {
      await Promise.all(buses.map((bus) => bus.close()));
    });

    const connect = async (retry: Partial<RetryPolicy> = RETRY) => {
      const bus = await broker().connect(namespace, retry);
      buses.push(bus);
      return bus;
    };

    /** Subscribes to everything of the test and keeps what was handled. */
    const collect = async (
      bus: EventBus,
      options: Partial<SubscribeOptions> & { group: string },
    ): Promise<{ handled: AnyEvent[]; subscription: Subscription }> => {
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
    };

    it('gives every group every event of its types, and no other', async () => {
      const bus = await connect();
      const one = await collect(bus, { group: 'one' });
      const two = await collect(bus, { group: 'two', types: ['*'] });
      const none = await collect(bus, { group: 'none', types: ['skyrun.service.*'] });
      await bus.publish(interleaved(['a', 'b'], 5));
      await expect.poll(() => [one.handled.length, two.handled.length], PATIENT).toEqual([10, 10]);
      expect(one.handled).toEqual(expect.arrayContaining(interleaved(['a', 'b'], 5)));
      expect(none.handled).toEqual([]);
    });

    it('keeps events for a declared group until its consumer comes, and between two consumers', async () => {
      const bus = await connect();
      await bus.declareGroup({ group: 'late', types: ['skyrun.usage.*'] });
      await bus.publish(interleaved(['a'], 3));
      const first = await collect(bus, { group: 'late' });
      await expect.poll(() => first.handled.length, PATIENT).toBe(3);
      await first.subscription.close();
      await bus.publish(interleaved(['a'], 3, 4));
      const second = await collect(bus, { group: 'late' });
      await expect.poll(() => firstSeen(second.handled)['gateways/a'], PATIENT).toEqual([4, 5, 6]);
    });

    it('handles one subject in order and one at a time, subjects side by side, never more than the prefetch', async () => {
      const bus = await connect();
      const running = new Map<string, number>();
      let inside = 0;
      let most = 0;
      const { handled } = await collect(bus, {
        group: 'lanes',
        prefetch: 4,
        async handler({ subject }) {
          inside += 1;
          most = Math.max(most, inside);
          running.set(subject, (running.get(subject) ?? 0) + 1);
          expect(running.get(subject)).toBe(1);
          await systemClock.sleep(1 + Math.random() * 8);
          running.set(subject, 0);
          inside -= 1;
        },
      });
      const subjects = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      await bus.publish(interleaved(subjects, 12));
      await expect.poll(() => handled.length, PATIENT).toBe(96);
      for (const sequences of Object.values(firstSeen(handled))) expect(sequences).toEqual(upTo(12));
      expect(most).toBeGreaterThan(1);
      expect(most).toBeLessThanOrEqual(4);
    });

    it('tries again with growing pauses, keeps the subject in order meanwhile, and holds up no other subject', async () => {
      const bus = await connect({ maxAttempts: 6, baseMs: 40, maxMs: 400 });
      const attempts: number[] = [];
      const { handled } = await collect(bus, {
        group: 'retry',
        async handler(event, { attempt }) {
          if (event.subject !== 'gateways/a' || event.sequence !== 2) return;
          attempts.push(attempt);
          if (attempt < 5) throw new Error(`not yet: ${attempt}`);
        },
      });
      await bus.publish(interleaved(['a', 'b'], 4));
      await expect.poll(() => handled.length, PATIENT).toBe(8);
      expect(attempts).toEqual([1, 2, 3, 4, 5]);
      expect(firstSeen(handled)).toEqual({ 'gateways/a': upTo(4), 'gateways/b': upTo(4) });
      const order = handled.map(({ subject, sequence }) => `${subject}-${sequence}`);
      expect(order.indexOf('gateways/b-4')).toBeLessThan(order.indexOf('gateways/a-2'));
    });

    it('makes a dead letter of what keeps failing, goes on behind it, and replays it to its group alone', async () => {
      const bus = await connect();
      let broken = true;
      const other = await collect(bus, { group: 'other' });
      const { handled } = await collect(bus, {
        group: 'letters',
        async handler(event) {
          if (broken && event.sequence <= 3) throw new TypeError(`cannot handle ${event.sequence}`);
        },
      });
      const letters = bus.deadLetters('letters');
      await bus.publish(interleaved(['a'], 5));
      await expect.poll(() => handled.map((event) => event.sequence), PATIENT).toEqual([4, 5]);
      await expect.poll(async () => (await letters.list()).items.length, PATIENT).toBe(3);

      const first = await letters.list(2);
      expect(first.items.map(({ event }) => event?.sequence)).toEqual([1, 2]);
      expect(first.items[0]).toMatchObject({
        error: expect.stringContaining('TypeError: cannot handle 1'),
        attempts: RETRY.maxAttempts,
      });
      expect(Date.parse(first.items[0]?.deadAt ?? '')).toBeGreaterThan(Date.parse(WHEN));
      const rest = await letters.list(2, first.next ?? undefined);
      expect(rest.items.map(({ event }) => event?.sequence)).toEqual([3]);
      expect(rest.next).toBeNull();

      expect(await letters.discard([first.items[0]?.id ?? ''], 'in the test')).toBe(1);
      broken = false;
      expect(await letters.replay([first.items[1]?.id ?? ''])).toBe(1);
      await expect.poll(() => handled.map((event) => event.sequence), PATIENT).toEqual([4, 5, 2]);
      expect(await letters.replay('all')).toBe(1);
      await expect.poll(() => handled.map((event) => event.sequence), PATIENT).toEqual([4, 5, 2, 3]);
      expect((await letters.list()).items).toEqual([]);
      expect(other.handled).toHaveLength(5);
    });

    it('makes a dead letter again of a replayed one that fails again', async () => {
      const bus = await connect();
      let tries = 0;
      await collect(bus, {
        group: 'again',
        async handler() {
          tries += 1;
          throw new Error('always');
        },
      });
      const letters = bus.deadLetters('again');
      await bus.publish([lost('a', 1)]);
      await expect.poll(async () => (await letters.list()).items.length, PATIENT).toBe(1);
      expect(await letters.replay('all')).toBe(1);
      await expect.poll(() => tries, PATIENT).toBe(2 * RETRY.maxAttempts);
      await expect.poll(async () => (await letters.list()).items.length, PATIENT).toBe(1);
    });

    it('does not count an outage of the consumer’s own dependencies against the event', async () => {
      const bus = await connect();
      let tries = 0;
      const { handled } = await collect(bus, {
        group: 'outage',
        async handler() {
          tries += 1;
          if (tries <= 3 * RETRY.maxAttempts) throw Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
        },
      });
      await bus.publish([lost('a', 1)]);
      await expect.poll(() => handled.length, PATIENT).toBe(1);
      expect((await bus.deadLetters('outage').list()).items).toEqual([]);
    });

    it('ordered group: one consumer at a time, and the next takes over in order without losing or overlapping', async () => {
      const handled: AnyEvent[] = [];
      const running = new Set<string>();
      const consumers: Record<number, number> = {};
      const subjects = ['a', 'b', 'c'];
      const member = async (number: number) => {
        const bus = await connect();
        return bus.subscribe({
          group: 'team',
          types: ['skyrun.usage.*'],
          prefetch: 8,
          async handler(event) {
            expect(running.has(event.subject)).toBe(false);
            running.add(event.subject);
            await systemClock.sleep(4);
            running.delete(event.subject);
            consumers[number] = (consumers[number] ?? 0) + 1;
            handled.push(event);
          },
        });
      };
      const first = await member(1);
      await member(2);
      const publisher = await connect();
      await publisher.publish(interleaved(subjects, 40));
      await expect.poll(() => handled.length, PATIENT).toBeGreaterThan(15);
      await first.close();
      await expect.poll(() => handled.length, PATIENT).toBe(120);
      for (const subject of subjects) {
        expect(handled.filter((event) => event.subject === `gateways/${subject}`).map((e) => e.sequence)).toEqual(
          upTo(40),
        );
      }
      expect(Object.keys(consumers)).toEqual(['1', '2']);
    });

    it('shared group: competing consumers split the events, each handled by one', async () => {
      const handled: AnyEvent[][] = [[], [], []];
      for (const list of handled) {
        const bus = await connect();
        await bus.subscribe({
          group: 'pool',
          types: ['skyrun.usage.*'],
          ordered: false,
          prefetch: 5,
          async handler(event) {
            await systemClock.sleep(5);
            list.push(event);
          },
        });
      }
      const publisher = await connect();
      await publisher.publish(interleaved(['a', 'b', 'c', 'd', 'e', 'f'], 25));
      await expect.poll(() => handled.flat().length, PATIENT).toBe(150);
      await systemClock.sleep(100);
      expect(new Set(handled.flat().map(({ id }) => id)).size).toBe(150);
      expect(handled.flat()).toHaveLength(150);
      for (const list of handled) expect(list.length).toBeGreaterThan(0);
    });

    it('shared group, side by side: one subject fills the prefetch, each is handled once, and no other waits for a retry', async () => {
      const bus = await connect();
      const group = { group: 'side', ordered: false, sideBySide: true, prefetch: 8 } as const;
      let inside = 0;
      let most = 0;
      const { handled } = await collect(bus, {
        ...group,
        async handler({ sequence }, { attempt }) {
          inside += 1;
          most = Math.max(most, inside);
          await systemClock.sleep(5);
          inside -= 1;
          if (sequence === 1 && attempt === 1) throw new Error('not yet');
        },
      });
      await bus.publish(interleaved(['a'], 40));
      await expect.poll(() => handled.length, PATIENT).toBe(40);
      expect(handled.map(({ sequence }) => sequence).sort((a, b) => a - b)).toEqual(upTo(40));
      expect(handled[0]?.sequence).not.toBe(1);
      expect(most).toBe(8);
      const ordered = collect(bus, { ...group, group: 'both', ordered: true });
      await expect(ordered).rejects.toMatchObject({ code: 'bus.bad_group' });
    });

    it('refuses a group that is ordered here and shared there', async () => {
      const bus = await connect();
      await collect(bus, { group: 'mixed' });
      const mixed = collect(bus, { group: 'mixed', ordered: false });
      await expect(mixed).rejects.toMatchObject({ name: 'BusError', code: 'bus.group_conflict' });
      const declared = bus.declareGroup({ group: 'mixed', types: ['skyrun.usage.*'], ordered: false });
      await expect(declared).rejects.toMatchObject({ code: 'bus.group_conflict' });
    });

    it('closes gracefully: the running handler ends and counts, the rest goes to the next consumer', async () => {
      const bus = await connect();
      const release = Promise.withResolvers<void>();
      const started = Promise.withResolvers<void>();
      const first = await collect(bus, {
        group: 'graceful',
        async handler() {
          started.resolve();
          await release.promise;
        },
      });
      await bus.publish(interleaved(['a'], 5));
      await started.promise;
      let isClosed = false;
      const closing = first.subscription.close().then(() => {
        isClosed = true;
      });
      await systemClock.sleep(80);
      expect(isClosed).toBe(false);
      release.resolve();
      await closing;
      await first.subscription.close();
      expect(first.handled.map(({ sequence }) => sequence)).toEqual([1]);
      const second = await collect(bus, { group: 'graceful' });
      await expect.poll(() => second.handled.map(({ sequence }) => sequence), PATIENT).toEqual([2, 3, 4, 5]);
    });

    it('shared group: what a closing consumer had fetched and not begun goes to the others soon', async () => {
      const release = Promise.withResolvers<void>();
      const options = { group: 'handed-back', ordered: false } as const;
      const first = await collect(await connect(), { ...options, handler: () => release.promise });
      const publisher = await connect();
      await publisher.publish(interleaved(['a'], 20));
      // One runs; the others of its subject wait behind it, fetched.
      await systemClock.sleep(300);
      const second = await collect(await connect(), options);
      const closing = first.subscription.close();
      release.resolve();
      await closing;
      expect(first.handled).toHaveLength(1);
      await expect.poll(() => second.handled.length, { timeout: 8_000, interval: 20 }).toBe(19);
    });

    it('refuses by name what the catalogue does not know, and sends nothing of such a batch', async () => {
      const bus = await connect();
      const { handled } = await collect(bus, { group: 'strict' });
      const good = lost('a', 1);
      const unknown: AnyEvent = JSON.parse(JSON.stringify({ ...good, type: 'skyrun.nothing.happened.v1' }));
      const invalid: AnyEvent = JSON.parse(JSON.stringify({ ...good, data: { gateway: 7 } }));
      await expect(bus.publish([good, unknown])).rejects.toMatchObject({ problem: 'unknown_type' });
      await expect(bus.publish([good, invalid])).rejects.toMatchObject({ problem: 'invalid_data' });
      const nowhere = bus.subscribe({ group: 'x', types: ['skyrun.nothing.*'], handler: async () => undefined });
      await expect(nowhere).rejects.toMatchObject({ name: 'InvalidEventError', problem: 'unknown_type' });
      const badGroup = bus.subscribe({ group: 'No Good', types: ['*'], handler: async () => undefined });
      await expect(badGroup).rejects.toMatchObject({ code: 'bus.bad_group' });
      await bus.publish([lost('a', 2)]);
      await expect.poll(() => handled.map(({ sequence }) => sequence), PATIENT).toEqual([2]);
    });

    it('makes a dead letter of a malformed event at once, naming the problem, and goes on', async () => {
      const bus = await connect();
      const { handled } = await collect(bus, { group: 'malformed' });
      const type = 'skyrun.usage.lost.v1';
      await broker().inject(namespace, type, JSON.stringify({ ...lost('a', 1), data: {} }));
      await broker().inject(namespace, type, 'not JSON');
      await bus.publish([lost('a', 2)]);
      await expect.poll(() => handled.map(({ sequence }) => sequence), PATIENT).toEqual([2]);
      const letters = bus.deadLetters('malformed');
      await expect.poll(async () => (await letters.list()).items.length, PATIENT).toBe(2);
      const errors = (await letters.list()).items.map(({ error, event }) => [error.slice(0, 34), event]);
      expect(errors).toContainEqual(['InvalidEventError: invalid_data: s', null]);
      expect(errors).toContainEqual(['InvalidEventError: invalid_envelop', null]);
    });

    it('ephemeral: every process has its own copy from now on, without retry', async () => {
      const bus = await connect();
      await bus.publish([lost('a', 1)]);
      const handler = async ({ sequence }: AnyEvent) => {
        if (sequence === 2) throw new Error('seen, and not tried again');
      };
      const one = await collect(bus, { group: 'live', ephemeral: true, handler });
      const two = await collect(await connect(), { group: 'live', ephemeral: true });
      await bus.publish([lost('a', 2), lost('a', 3)]);
      await expect.poll(() => two.handled.map(({ sequence }) => sequence), PATIENT).toEqual([2, 3]);
      await expect.poll(() => one.handled.map(({ sequence }) => sequence), PATIENT).toEqual([3]);
      await one.subscription.close();
      await bus.publish([lost('a', 4)]);
      await expect.poll(() => two.handled.length, PATIENT).toBe(3);
      expect(one.handled).toHaveLength(1);
    });

    it('takes large batches and many small ones, all confirmed', async () => {
      const bus = await connect();
      const { handled } = await collect(bus, { group: 'bulk', prefetch: 200 });
      await bus.publish(interleaved(['a', 'b', 'c', 'd'], 400));
      await Promise.all(Array.from({ length: 50 }, (_, index) => bus.publish([lost(`single-${index}`, 1)])));
      await expect.poll(() => handled.length, PATIENT).toBe(1650);
      expect(firstSeen(handled)['gateways/a']).toEqual(upTo(400));
    });

    it('has no dead letters for a group that was never declared', async () => {
      const letters = (await connect()).deadLetters('nobody');
      expect(await letters.list()).toEqual({ items: [], next: null });
      expect(await letters.replay('all')).toBe(0);
      expect(await letters.discard(['1-0'], 'none there')).toBe(0);
    });

    it('tolerates closing twice, refuses work afterwards', async () => {
      const bus = await connect();
      const { subscription } = await collect(bus, { group: 'end' });
      await Promise.all([bus.close(), bus.close()]);
      await subscription.close();
      expect(bus.ready()).toBe(false);
      await expect(bus.publish([lost('a', 1)])).rejects.toMatchObject({ code: 'bus.closed' });
      const refused = bus.subscribe({ group: 'end', types: ['*'], handler: async () => undefined });
      await expect(refused).rejects.toMatchObject({ code: 'bus.closed' });
    });

    it.runIf(name !== 'memory')(
      'survives a restart of the broker: no confirmed event lost, order kept, consumers back by themselves',
      async () => {
        const bus = await connect();
        const consumers = await connect();
        const slow = await collect(consumers, { group: 'steady', handler: () => systemClock.sleep(3) });
        const live = await collect(consumers, { group: 'tail', ephemeral: true });
        const confirmed: AnyEvent[] = [];
        let refused = 0;
        let going = true;
        const publishing = (async () => {
          for (let sequence = 1; going; ) {
            const batch = interleaved(['a', 'b'], 3, sequence);
            try {
              await bus.publish(batch);
              confirmed.push(...batch);
              sequence += 3;
            } catch (error) {
              expect(error).toMatchObject({ code: 'bus.unavailable' });
              refused += 1;
            }
            await systemClock.sleep(10);
          }
        })();
        await expect.poll(() => slow.handled.length, PATIENT).toBeGreaterThan(20);
        // RabbitMQ 3.10 killed within a second of declaring a quorum queue may come back with that queue unusable.
        await systemClock.sleep(3_000);
        await broker().restart?.();
        const before = confirmed.length;
        await expect.poll(() => confirmed.length, PATIENT).toBeGreaterThan(before + 30);
        going = false;
        await publishing;
        const expected = firstSeen(confirmed);
        await expect.poll(() => firstSeen(slow.handled), PATIENT).toEqual(expected);
        expect(refused).toBeGreaterThan(0);
        expect(consumers.ready()).toBe(true);
        const heard = live.handled.length;
        // An ephemeral subscription may have a gap while it reconnects; it must hear again.
        const hearing = async () => {
          await bus.publish([lost('z', 1)]);
          return live.handled.length;
        };
        await expect.poll(hearing, { ...PATIENT, interval: 200 }).toBeGreaterThan(heard);
      },
      120_000,
    );
  });
}
