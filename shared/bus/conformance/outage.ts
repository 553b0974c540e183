import type { AnyEvent } from '@skyrun/contracts';
import { systemClock } from '@skyrun/kit';
import { expect, it } from 'vitest';
import { firstSeen, interleaved, lost, PATIENT, type Workbench } from './workbench.ts';

/** What a broker that comes back must find. */
export function outagePromises({ name, broker, connect, collect }: Workbench): void {
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
}
