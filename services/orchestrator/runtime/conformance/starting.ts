import { newId } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { exited, GENEROUS_MS, type Workbench } from './workbench.ts';

/** How instances begin, and as what. */
export function startingPromises({ subject, specOf, until }: Workbench): void {
  test('answers', async () => {
    await subject().runtime.ping();
  });

  test('a started instance is listed with its whole identity, address and start', async () => {
    const { runtime, clock } = subject();
    const before = clock.now();
    const { env, image, ...identity } = specOf();
    const { instance: answer } = await runtime.start({ ...identity, env, image });
    expect(answer).toMatchObject({ state: 'running', identity });
    expect(answer.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(answer.startedAt).toBeGreaterThanOrEqual(before - 1);
    expect(answer.startedAt).toBeLessThanOrEqual(clock.now() + 1);
    expect(await runtime.list()).toContainEqual(answer);
  });

  test('a second start of an instance finds the first', async () => {
    const { runtime } = subject();
    const spec = specOf();
    const { instance: first } = await runtime.start(spec);
    expect((await runtime.start(spec)).instance).toEqual(first);
    const all = (await runtime.list()).filter(({ identity }) => identity.instanceId === spec.instanceId);
    expect(all).toHaveLength(1);
  });

  test('an exited instance is not started again', async () => {
    const { runtime } = subject();
    const spec = specOf({ EXIT_AFTER_MS: '0' });
    await runtime.start(spec);
    await until(spec.instanceId, exited);
    expect((await runtime.start(spec)).instance.state).toBe('exited');
  });

  test('a program runs in an instance and answers its exit code', async () => {
    const { runtime, clock } = subject();
    if (!runtime.supports.exec) return;
    const spec = specOf();
    await runtime.start(spec);
    const run = (...command: string[]) => runtime.exec(spec.instanceId, command, { timeoutMs: GENEROUS_MS });
    expect(await run('node', '-e', '0')).toBe(0);
    expect(await run('false')).not.toBe(0);
    const nobody = newId('instance', clock);
    expect(await runtime.exec(nobody, ['node', '-e', '0'], { timeoutMs: 1000 })).toBeNull();
  });

  test('an instance runs as the user that it asks for', async () => {
    const { runtime } = subject();
    const spec = specOf({}, { runAsUser: 12_345 });
    await runtime.start(spec);
    const program = 'process.exit(process.getuid() === 12345 ? 0 : 1)';
    expect(await runtime.exec(spec.instanceId, ['node', '-e', program], { timeoutMs: GENEROUS_MS })).toBe(0);
  });

  test('an image that is not there is a verdict of its own', async () => {
    const spec = specOf({}, { image: 'skyrun.local/nobody/nothing:1' });
    await expect(subject().runtime.start(spec)).rejects.toMatchObject({ code: 'image_missing' });
  });

  test('a command that does not exist cannot start', async () => {
    const spec = specOf({}, { command: ['/does-not-exist'] });
    await expect(subject().runtime.start(spec)).rejects.toMatchObject({ code: 'cannot_start' });
  });

  test('starts of one project at once share what the project needs', async () => {
    const { runtime } = subject();
    const specs = Array.from({ length: 4 }, () => specOf());
    const answers = await Promise.all(specs.map((spec) => runtime.start(spec)));
    const places = answers.map(({ instance }) => `${instance.address}:${instance.port ?? instance.identity.port}`);
    expect(new Set(places).size).toBe(4);
  });
}
