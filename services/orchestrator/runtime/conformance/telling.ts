import { newId } from '@skyrun/kit';
import { expect, test } from 'vitest';
import type { RuntimeChange } from '../runtime.ts';
import { exited, type Workbench } from './workbench.ts';

/** What a runtime tells of its instances, and what it does with images. */
export function tellingPromises({ subject, specOf, until, listen, readLogs }: Workbench): void {
  test('watchers hear of a start and an end', async () => {
    const { runtime } = subject();
    const watcher = await listen();
    const spec = specOf({ EXIT_AFTER_MS: '50' });
    await runtime.start(spec);
    await until(spec.instanceId, exited);
    const both = (mine: readonly RuntimeChange[]) =>
      mine.some(({ did }) => did === 'started') && mine.some(({ did }) => did === undefined);
    expect(both(await watcher.stop(spec.instanceId, both))).toBe(true);
    expect(watcher.heard[0]).toEqual({ instanceId: null });
  });

  test('logs tell the streams apart, and remain after the end', async () => {
    const { runtime } = subject();
    const spec = specOf({ EXIT_AFTER_MS: '100' });
    await runtime.start(spec);
    await until(spec.instanceId, exited);
    const found = await readLogs(spec.instanceId, 100, false);
    const texts = found.map(({ stream, text }) => `${stream}: ${text}`).toSorted();
    expect(texts).toEqual(['stderr: a warning', 'stdout: hello from web-00001']);
    for (const { at } of found) expect(at).toBeGreaterThan(0);
  });

  test('followed logs end with the instance', async () => {
    const { runtime } = subject();
    const spec = specOf({ EXIT_AFTER_MS: '300' });
    await runtime.start(spec);
    expect(await readLogs(spec.instanceId, 100, true)).toHaveLength(2);
  });

  test('logs of nobody are empty', async () => {
    expect(await readLogs(newId('instance', subject().clock), 1, false)).toEqual([]);
  });

  test('a running instance has figures, nobody has none', async () => {
    const { runtime, clock } = subject();
    const spec = specOf();
    await runtime.start(spec);
    const stats = await runtime.stats(spec.instanceId);
    expect(stats?.processes).toBeGreaterThan(0);
    expect(stats?.memoryBytes).toBeGreaterThan(0);
    expect(await runtime.stats(newId('instance', clock))).toBeNull();
  });

  test('an image that is not there is removed already', async () => {
    await subject().runtime.images.remove('skyrun.local/nobody/nothing:1');
  });

  test('bytes that are no archive are refused', async () => {
    async function* nonsense() {
      yield Buffer.alloc(0);
    }
    const { runtime } = subject();
    await expect(runtime.images.import(nonsense(), 'skyrun.local/nobody/nothing:1')).rejects.toMatchObject({
      name: 'RuntimeError',
    });
  });
}
