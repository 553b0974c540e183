import type { Clock } from '@skyrun/kit';
import { afterEach } from 'vitest';
import { instanceSpec } from '../../testing/instance-spec.ts';
import type { InstanceSpec, Runtime, RuntimeChange, RuntimeInstance, RuntimeLogLine } from '../runtime.ts';

export interface ConformanceSubject {
  readonly runtime: Runtime;
  readonly clock: Clock;
  /** An image whose containers do what `runtime/memory/program.ts` says. */
  readonly image: string;
}

export const GENEROUS_MS = 30_000;

/** What a watcher of the engine heard. */
interface Watcher {
  readonly heard: readonly RuntimeChange[];
  /** Those of the instance, when they are so many or all that is asked for is among them; or after a generous time. */
  stop(instanceId: string, enough: number | ((heard: readonly RuntimeChange[]) => boolean)): Promise<RuntimeChange[]>;
}

/** What every test works with. What it starts is gone after the test. */
export interface Workbench {
  subject(): ConformanceSubject;
  /** Of an instance that is taken away after the test, whoever starts it. */
  specOf(env?: Record<string, string>, more?: Partial<InstanceSpec>): InstanceSpec;
  look(id: string): Promise<RuntimeInstance | undefined>;
  until(id: string, wanted: (found: RuntimeInstance | undefined) => boolean): Promise<RuntimeInstance | undefined>;
  /** The changes that watchers of the engine hear from now on; resolves when they listen. */
  listen(): Promise<Watcher>;
  readLogs(id: string, lines: number, follow: boolean): Promise<RuntimeLogLine[]>;
}

export const exited = (found: RuntimeInstance | undefined) => found?.state === 'exited';

/** May take one step and no more. */
export function mayActOnce() {
  let asked = 0;
  return () => {
    asked += 1;
    if (asked > 1) throw new Error('the lease ran out');
  };
}

export function useWorkbench(subject: () => ConformanceSubject): Workbench {
  const started = new Set<string>();
  afterEach(async () => {
    for (const id of started) await subject().runtime.stop(id, { graceMs: 0, remove: true });
    started.clear();
  });
  const look = async (id: string) => (await subject().runtime.list(id))[0];

  return {
    subject,
    specOf(env = {}, more = {}) {
      const { clock, image } = subject();
      const spec = instanceSpec({
        project: 'conformance',
        createdAt: clock.now(),
        image,
        env: Object.entries({ PORT: '8080', K_REVISION: 'web-00001', ...env }).map(([name, value]) => ({
          name,
          value,
        })),
        ...more,
      });
      started.add(spec.instanceId);
      return spec;
    },
    look,
    async until(id, wanted) {
      const { clock } = subject();
      const end = clock.monotonic() + GENEROUS_MS;
      for (;;) {
        const found = await look(id);
        if (wanted(found)) return found;
        if (clock.monotonic() > end) throw new Error(`still ${JSON.stringify(found)}`);
        await clock.sleep(20);
      }
    },
    async listen() {
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
        async stop(instanceId, enough) {
          const { clock } = subject();
          const mine = () => heard.filter((change) => change.instanceId === instanceId);
          const isEnough = () => (typeof enough === 'number' ? mine().length >= enough : enough(mine()));
          const end = clock.monotonic() + GENEROUS_MS;
          while (!isEnough() && clock.monotonic() < end) await clock.sleep(20);
          abort.abort();
          await watching;
          return mine();
        },
      };
    },
    async readLogs(id, lines, follow) {
      const found: RuntimeLogLine[] = [];
      const abort = new AbortController();
      for await (const line of subject().runtime.logs(id, { follow, tail: 100, signal: abort.signal })) {
        found.push(line);
        if (found.length >= lines) break;
      }
      abort.abort();
      return found;
    },
  };
}
