import { expect, test } from 'vitest';
import { mayActOnce, type Workbench } from './workbench.ts';

/** What one who leads no more still changes: nothing. */
export function fencingPromises({ subject, specOf, look, listen }: Workbench): void {
  test('changes nothing for one who may not act', async () => {
    const { runtime } = subject();
    const never = () => {
      throw new Error('the lease ran out');
    };
    const spec = specOf();
    const { instanceId } = spec;
    await expect(runtime.start(spec, never)).rejects.toThrow();
    expect(await look(instanceId)).toBeUndefined();
    const { instance } = await runtime.start(spec);
    await expect(runtime.stop(instanceId, { graceMs: 0, remove: true }, never)).rejects.toThrow();
    expect(await look(instanceId)).toEqual(instance);
    if (runtime.supports.pause) {
      await expect(runtime.pause(instanceId, never)).rejects.toThrow();
      expect((await look(instanceId))?.paused).toBeUndefined();
      await runtime.pause(instanceId);
      await expect(runtime.resume(instanceId, never)).rejects.toThrow();
      expect((await look(instanceId))?.paused).toBe(true);
    }
    await runtime.stop(instanceId, { graceMs: 0, remove: false });
    if (runtime.supports.restart) await expect(runtime.restart(instanceId, never)).rejects.toThrow();
    await expect(runtime.stop(instanceId, { graceMs: 0, remove: true }, never)).rejects.toThrow();
    expect(await look(instanceId)).toMatchObject({ state: 'exited' });
  });

  test('asks before every step of a start: one who may act no more after the first runs nothing', async () => {
    const { runtime } = subject();
    const spec = specOf();
    const answer = await runtime.start(spec, mayActOnce()).catch(() => null);
    expect((await look(spec.instanceId))?.state === 'running').toBe(answer !== null);
  });

  test('watchers hear of one that was made and not run: whoever made it may be gone', async () => {
    const { runtime } = subject();
    const watcher = await listen();
    const spec = specOf();
    const answer = await runtime.start(spec, mayActOnce()).catch(() => null);
    const made = answer === null && (await look(spec.instanceId)) !== undefined;
    const heard = await watcher.stop(spec.instanceId, made ? 1 : 0);
    if (made) expect(heard).toEqual([{ instanceId: spec.instanceId, did: 'made' }]);
  });
}
