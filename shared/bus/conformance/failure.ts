import { expect, it } from 'vitest';
import { firstSeen, interleaved, lost, PATIENT, RETRY, WHEN, type Workbench } from './workbench.ts';

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** What becomes of an event that cannot be handled. */
export function failurePromises({ broker, namespace, connect, collect }: Workbench): void {
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

  it('makes a dead letter of a malformed event at once, naming the problem, and goes on', async () => {
    const bus = await connect();
    const { handled } = await collect(bus, { group: 'malformed' });
    const type = 'skyrun.usage.lost.v1';
    await broker().inject(namespace(), type, JSON.stringify({ ...lost('a', 1), data: {} }));
    await broker().inject(namespace(), type, 'not JSON');
    await bus.publish([lost('a', 2)]);
    await expect.poll(() => handled.map(({ sequence }) => sequence), PATIENT).toEqual([2]);
    const letters = bus.deadLetters('malformed');
    await expect.poll(async () => (await letters.list()).items.length, PATIENT).toBe(2);
    const errors = (await letters.list()).items.map(({ error, event }) => [error.slice(0, 34), event]);
    expect(errors).toContainEqual(['InvalidEventError: invalid_data: s', null]);
    expect(errors).toContainEqual(['InvalidEventError: invalid_envelop', null]);
  });

  it('has no dead letters for a group that was never declared', async () => {
    const letters = (await connect()).deadLetters('nobody');
    expect(await letters.list()).toEqual({ items: [], next: null });
    expect(await letters.replay('all')).toBe(0);
    expect(await letters.discard(['1-0'], 'none there')).toBe(0);
  });
}
