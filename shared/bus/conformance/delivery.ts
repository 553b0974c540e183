import type { AnyEvent } from '@skyrun/contracts';
import { expect, it } from 'vitest';
import { firstSeen, interleaved, lost, PATIENT, type Workbench } from './workbench.ts';

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** Who gets what. */
export function deliveryPromises({ connect, collect }: Workbench): void {
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
}
