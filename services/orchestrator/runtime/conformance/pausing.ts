import { newId } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { exited, GENEROUS_MS, type Workbench } from './workbench.ts';

/** Instances that hold still. */
export function pausingPromises({ subject, specOf, look, until, readLogs }: Workbench): void {
  test('a paused instance keeps its place, says so, and goes on when it is resumed', async () => {
    const { runtime } = subject();
    if (!runtime.supports.pause) return;
    const spec = specOf();
    const { address, startedAt } = (await runtime.start(spec)).instance;
    expect(await runtime.pause(spec.instanceId)).toBe(true);
    expect(await runtime.pause(spec.instanceId)).toBe(true);
    const frozen = { state: 'running', paused: true, address, startedAt };
    expect(await look(spec.instanceId)).toMatchObject(frozen);
    const listed = (await runtime.list()).find(({ identity }) => identity.instanceId === spec.instanceId);
    expect(listed).toMatchObject(frozen);
    expect(await runtime.resume(spec.instanceId)).toBe(true);
    expect(await runtime.resume(spec.instanceId)).toBe(true);
    expect((await look(spec.instanceId))?.paused).toBeUndefined();
  });

  test('a paused instance can be stopped, and heeds SIGTERM', async () => {
    const { runtime } = subject();
    if (!runtime.supports.pause) return;
    const spec = specOf();
    await runtime.start(spec);
    await readLogs(spec.instanceId, 2, true);
    await runtime.pause(spec.instanceId);
    expect(await runtime.stop(spec.instanceId, { graceMs: GENEROUS_MS, remove: false })).toMatchObject({
      exitCode: 0,
    });
  });

  test('nobody is paused or resumed, nor one that has ended', async () => {
    const { runtime, clock } = subject();
    if (!runtime.supports.pause) return;
    const nobody = newId('instance', clock);
    expect([await runtime.pause(nobody), await runtime.resume(nobody)]).toEqual([false, false]);
    const spec = specOf({ EXIT_AFTER_MS: '0' });
    await runtime.start(spec);
    await until(spec.instanceId, exited);
    expect([await runtime.pause(spec.instanceId), await runtime.resume(spec.instanceId)]).toEqual([false, false]);
  });
}
