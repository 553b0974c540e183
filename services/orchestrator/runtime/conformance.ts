import { type Clock, newId } from '@skyrun/kit';
import { afterEach, describe, expect, test } from 'vitest';
import type { InstanceSpec, Runtime, RuntimeChange, RuntimeInstance, RuntimeLogLine } from './runtime.ts';

export interface ConformanceSubject {
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** An image whose containers do what `runtime/memory/program.ts` says. */
  readonly image: string;
}

const GENEROUS_MS = 30_000;

/** What every runtime must do, whatever the engine. */
export function runtimeConformance(name: string, subject: () => ConformanceSubject): void {
  const started = new Set<string>();

  function specOf(env: Record<string, string> = {}, more: Partial<InstanceSpec> = {}): InstanceSpec {
    const { clock, image } = subject();
    const instanceId = newId('instance', clock);
    started.add(instanceId);
    return {
      instanceId,
      project: 'conformance',
      service: 'web',
      serviceId: newId('service', clock),
      revisionId: newId('revision', clock),
      revisionName: 'web-00001',
      port: 8080,
      cpuMilli: 1000,
      memoryMib: 128,
      billingMode: 'request',
      terminationGraceSeconds: 10,
      createdAt: clock.now(),
      image,
      env: Object.entries({ PORT: '8080', K_REVISION: 'web-00001', ...env }).map(([key, value]) => ({
        name: key,
        value,
      })),
      ...more,
    };
  }

  const look = async (id: string): Promise<RuntimeInstance | undefined> => (await subject().runtime.list(id))[0];

  async function until(id: string, wanted: (found: RuntimeInstance | undefined) => boolean) {
    const { clock } = subject();
    const end = clock.monotonic() + GENEROUS_MS;
    for (;;) {
      const found = await look(id);
      if (wanted(found)) return found;
      if (clock.monotonic() > end) throw new Error(`still ${JSON.stringify(found)}`);
      await clock.sleep(20);
    }
  }

  /** The changes that watchers of the engine hear from now on; resolves when they listen. */
  async function listen() {
    const abort = new AbortController();
    const heard: RuntimeChange[] = [];
    const { promise: first, resolve: begun } = Promise.withResolvers<void>();
    const watching = (async () => {
      for await (const change of subject().runtime.watch(abort.signal)) {
        heard.push(change);
        begun();
      }
    })();
    await first;
    return {
      heard,
      /** After so many of the instance, or a generous time. */
      async stop(instanceId: string, count: number): Promise<RuntimeChange[]> {
        const { clock } = subject();
        const mine = () => heard.filter((change) => change.instanceId === instanceId);
        for (let turn = 0; turn < 1_000 && mine().length < count; turn += 1) await clock.sleep(20);
        abort.abort();
        await watching;
        return mine();
      },
    };
  }

  /** May take one step and no more. */
  function mayActOnce() {
    let asked = 0;
    return () => {
      asked += 1;
      if (asked > 1) throw new Error('the lease ran out');
    };
  }

  const exited = (found: RuntimeInstance | undefined) => found?.state === 'exited';

  async function readLogs(id: string, lines: number, follow: boolean): Promise<RuntimeLogLine[]> {
    const found: RuntimeLogLine[] = [];
    const abort = new AbortController();
    for await (const line of subject().runtime.logs(id, { follow, tail: 100, signal: abort.signal })) {
      found.push(line);
      if (found.length >= lines) break;
    }
    abort.abort();
    return found;
  }

  afterEach(async () => {
    for (const id of started) await subject().runtime.stop(id, { graceMs: 0, remove: true });
    started.clear();
  });

  describe(`${name} runtime`, () => {
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

    test('a stopped instance starts again, at a later time', async () => {
      const { runtime, clock } = subject();
      if (!runtime.supports.restart) return;
      const spec = specOf();
      const { instance: first } = await runtime.start(spec);
      await readLogs(spec.instanceId, 2, true);
      await runtime.list();
      await runtime.stop(spec.instanceId, { graceMs: GENEROUS_MS, remove: false });
      const again = await runtime.restart(spec.instanceId);
      expect(again?.instance).toMatchObject({ state: 'running', identity: first.identity });
      expect(again?.instance.address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect(again?.instance.startedAt).toBeGreaterThan(first.startedAt ?? Number.POSITIVE_INFINITY);
      const listed = (await runtime.list()).find(({ identity }) => identity.instanceId === spec.instanceId);
      expect(listed?.startedAt).toBe(again?.instance.startedAt);
      expect((await runtime.restart(spec.instanceId))?.instance).toEqual(again?.instance);
      expect(await runtime.restart(newId('instance', clock))).toBeNull();
    });

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
      const heard = await watcher.stop(spec.instanceId, 1);
      if (made) expect(heard).toEqual([{ instanceId: spec.instanceId, did: 'made' }]);
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

    test('watchers hear of a start and an end', async () => {
      const { runtime } = subject();
      const watcher = await listen();
      const spec = specOf({ EXIT_AFTER_MS: '50' });
      await runtime.start(spec);
      await until(spec.instanceId, exited);
      const told = ({ did }: RuntimeChange) => did === undefined;
      const mine = await watcher.stop(spec.instanceId, 3);
      expect(watcher.heard[0]).toEqual({ instanceId: null });
      expect(mine.some(({ did }) => did === 'started')).toBe(true);
      expect(mine.some(told)).toBe(true);
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

    test('starts of one project at once share what the project needs', async () => {
      const { runtime } = subject();
      const specs = Array.from({ length: 4 }, () => specOf());
      const answers = await Promise.all(specs.map((spec) => runtime.start(spec)));
      const places = answers.map(({ instance }) => `${instance.address}:${instance.port ?? instance.identity.port}`);
      expect(new Set(places).size).toBe(4);
    });
  });
}
