import type { AnyEvent } from '@skyrun/contracts';
import { systemClock } from '@skyrun/kit';
import { expect, it } from 'vitest';
import { firstSeen, interleaved, PATIENT, type Workbench } from './workbench.ts';

const upTo = (count: number) => Array.from({ length: count }, (_, index) => index + 1);

/** What follows what, and who works beside whom. */
export function orderPromises({ connect, collect }: Workbench): void {
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
}
