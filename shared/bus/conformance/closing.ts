import { systemClock } from '@skyrun/kit';
import { expect, it } from 'vitest';
import { interleaved, lost, PATIENT, type Workbench } from './workbench.ts';

/** What ends in order loses nothing and takes nothing more. */
export function closingPromises({ connect, collect }: Workbench): void {
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
}
