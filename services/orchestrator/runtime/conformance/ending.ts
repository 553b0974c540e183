import { newId } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { exited, GENEROUS_MS, type Workbench } from './workbench.ts';

/** How instances end, and how some begin again. */
export function endingPromises({ subject, specOf, look, until, readLogs }: Workbench): void {
  test('the exit code and the span of an instance that ends by itself are kept', async () => {
    const { runtime } = subject();
    const spec = specOf({ EXIT_AFTER_MS: '200', EXIT_CODE: '7' });
    const { startedAt } = (await runtime.start(spec)).instance;
    const end = await until(spec.instanceId, exited);
    expect(end).toMatchObject({ exitCode: 7, oomKilled: false, startedAt });
    expect((end?.finishedAt ?? 0) - (end?.startedAt ?? 0)).toBeGreaterThanOrEqual(199);
  });

  test('an instance beyond its memory limit is reported as killed for it', async () => {
    const spec = specOf({ EAT_MIB: '512', LISTEN_DELAY_MS: 'never' }, { memoryMib: 96 });
    await subject().runtime.start(spec);
    expect(await until(spec.instanceId, exited)).toMatchObject({ exitCode: 137, oomKilled: true });
  });

  test('stop asks first: an instance that heeds SIGTERM ends with its own code', async () => {
    const { runtime, clock } = subject();
    const spec = specOf();
    await runtime.start(spec);
    await until(spec.instanceId, (found) => found?.state === 'running');
    await readLogs(spec.instanceId, 2, true);
    const began = clock.monotonic();
    const end = await runtime.stop(spec.instanceId, { graceMs: GENEROUS_MS, remove: false });
    expect(end).toMatchObject({ state: 'exited', exitCode: 0 });
    expect(end?.finishedAt).toBeGreaterThan(0);
    expect(clock.monotonic() - began).toBeLessThan(GENEROUS_MS);
    expect(await look(spec.instanceId)).toMatchObject({ state: 'exited', exitCode: 0 });
  });

  test('stop kills what does not heed SIGTERM, after the grace', async () => {
    const { runtime, clock } = subject();
    const spec = specOf({ IGNORE_TERM: '1' });
    await runtime.start(spec);
    await readLogs(spec.instanceId, 2, true);
    const began = clock.monotonic();
    const end = await runtime.stop(spec.instanceId, { graceMs: 1000, remove: false });
    expect(end).toMatchObject({ state: 'exited', exitCode: 137 });
    expect(clock.monotonic() - began).toBeGreaterThanOrEqual(990);
  });

  test('stop with remove forgets, a second stop finds nothing', async () => {
    const { runtime } = subject();
    const spec = specOf();
    await runtime.start(spec);
    expect(await runtime.stop(spec.instanceId, { graceMs: 0, remove: true })).toMatchObject({ state: 'exited' });
    expect(await look(spec.instanceId)).toBeUndefined();
    expect(await runtime.stop(spec.instanceId, { graceMs: 0, remove: true })).toBeNull();
  });

  test('a stopped instance starts again, at a later time', async () => {
    const { runtime, clock } = subject();
    if (!runtime.supports.restart) return;
    const spec = specOf();
    const { instance: first } = await runtime.start(spec);
    await readLogs(spec.instanceId, 2, true);
    await runtime.list();
    await runtime.stop(spec.instanceId, { graceMs: GENEROUS_MS, remove: false });
    // Starts are told in milliseconds, and an engine in memory does all of this in less than one.
    await clock.sleep(10);
    const again = await runtime.restart(spec.instanceId);
    expect(again?.instance).toMatchObject({ state: 'running', identity: first.identity });
    expect(again?.instance.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(again?.instance.startedAt).toBeGreaterThan(first.startedAt ?? Number.POSITIVE_INFINITY);
    const listed = (await runtime.list()).find(({ identity }) => identity.instanceId === spec.instanceId);
    expect(listed?.startedAt).toBe(again?.instance.startedAt);
    expect((await runtime.restart(spec.instanceId))?.instance).toEqual(again?.instance);
    expect(await runtime.restart(newId('instance', clock))).toBeNull();
  });
}
