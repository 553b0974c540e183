import { type Clock, isoTime } from '@skyrun/kit';
import {
  anybodyMay,
  type InstanceSpec,
  type LogOptions,
  type Runtime,
  type RuntimeChange,
  RuntimeError,
  type RuntimeInstance,
  type RuntimeLogLine,
} from '../runtime.ts';
import type { Program } from './program.ts';

export interface MemoryRuntimeOptions {
  readonly clock: Clock;
  /** Image reference → what its containers do. More can be imported. */
  readonly programs: ReadonlyMap<string, Program>;
  /** What an imported archive contains. */
  readonly importedProgram?: Program;
  /** How long a start takes. */
  readonly startMs?: number;
}

export interface MemoryRuntime extends Runtime {
  /** Whether something accepts connections there. */
  listens(address: string, port: number): boolean;
  /** Has no address to reach, so its program says whether it is well. */
  setHealthy(instanceId: string, healthy: boolean): void;
  /** Ends an instance as if its process had. */
  kill(instanceId: string, exitCode: number): void;
  /** While true every call fails with `unavailable`, and watchers hear nothing until it is over. */
  setUnavailable(unavailable: boolean): void;
  /** How often an instance was really started, for tests that count. */
  starts(): number;
}

interface Process {
  readonly spec: InstanceSpec;
  readonly address: string;
  readonly logs: RuntimeLogLine[];
  readonly listeners: Set<() => void>;
  listening: boolean;
  healthy: boolean;
  onTerm: (() => void) | null;
  facts: RuntimeInstance;
}

const IMAGE_ID = `sha256:${'0'.repeat(64)}`;

/** Instances as objects; for tests and simulation. Passes the same conformance suite as the real engines. */
export function createMemoryRuntime(options: MemoryRuntimeOptions): MemoryRuntime {
  const { clock, startMs = 0 } = options;
  const programs = new Map(options.programs);
  const processes = new Map<string, Process>();
  const watchers = new Set<(change: RuntimeChange) => void>();
  let addresses = 0;
  let started = 0;
  let down = false;

  const answer = () => {
    if (down) throw new RuntimeError('unavailable', 'the simulated engine does not answer');
  };
  const tell = (instanceId: string | null, did?: RuntimeChange['did']) => {
    for (const watcher of watchers) watcher(did ? { instanceId, did } : { instanceId });
  };

  function end(process: Process, exitCode: number, oomKilled: boolean): void {
    if (process.facts.state !== 'running') return;
    const { address: _, paused: __, ...facts } = process.facts;
    process.facts = { ...facts, state: 'exited', finishedAt: clock.now(), exitCode, oomKilled };
    process.listening = false;
    for (const listener of process.listeners) listener();
    tell(process.spec.instanceId);
  }

  function run(process: Process, program: Program): void {
    const { spec } = process;
    process.facts = { identity: spec, state: 'running', address: process.address, startedAt: clock.now() };
    process.healthy = true;
    started += 1;
    tell(spec.instanceId, 'started');
    program({
      spec,
      clock,
      env: (name) => spec.env.find((variable) => variable.name === name)?.value,
      log(stream, text) {
        const at = clock.now();
        const number = String(process.logs.length % 1_000_000).padStart(6, '0');
        process.logs.push({ at, position: isoTime(at).replace('Z', `${number}Z`), stream, text });
        for (const listener of process.listeners) listener();
      },
      listen() {
        process.listening = process.facts.state === 'running';
      },
      exit: (code, ended) => end(process, code, ended?.oomKilled ?? false),
      onTerm(handler) {
        process.onTerm = handler;
      },
    });
  }

  function setPaused(process: Process | undefined, paused: boolean): boolean {
    if (process?.facts.state !== 'running') return false;
    const { paused: was = false, ...facts } = process.facts;
    process.facts = paused ? { ...facts, paused } : facts;
    if (was !== paused) tell(process.spec.instanceId);
    return true;
  }

  async function* follow(
    process: Process,
    { follow: stay, tail, since = 0, signal }: LogOptions,
  ): AsyncIterable<RuntimeLogLine> {
    let next = tail === 'all' ? 0 : Math.max(0, process.logs.length - tail);
    for (;;) {
      for (; next < process.logs.length; next += 1) {
        const line = process.logs[next];
        if (line && line.at >= since) yield line;
      }
      if (!stay || process.facts.state !== 'running' || signal?.aborted) return;
      await new Promise<void>((resolve) => {
        const wake = () => {
          process.listeners.delete(wake);
          signal?.removeEventListener('abort', wake);
          resolve();
        };
        process.listeners.add(wake);
        signal?.addEventListener('abort', wake, { once: true });
      });
    }
  }

  return {
    name: 'memory',
    supports: { pause: true, restart: true, exec: true },
    images: {
      async import(archive, reference) {
        answer();
        let bytes = 0;
        for await (const chunk of archive) bytes += chunk.byteLength;
        if (bytes === 0 || !options.importedProgram) throw new RuntimeError('image_refused', 'not an image archive');
        programs.set(reference, options.importedProgram);
        return { id: IMAGE_ID };
      },
      async pull(reference) {
        answer();
        if (!programs.has(reference)) throw new RuntimeError('image_missing', `there is no ${reference}`);
        return { id: IMAGE_ID };
      },
      async remove(reference) {
        answer();
        const used = [...processes.values()].some(
          ({ spec, facts }) => spec.image === reference && facts.state === 'running',
        );
        if (used) throw new RuntimeError('image_in_use', `${reference} runs`);
        programs.delete(reference);
      },
    },
    async start(spec, mayAct = anybodyMay) {
      answer();
      const existing = processes.get(spec.instanceId);
      if (existing) return { instance: existing.facts, createMs: 0, startMs: 0 };
      const program = programs.get(spec.image);
      if (!program) throw new RuntimeError('image_missing', `there is no ${spec.image}`);
      mayAct();
      addresses += 1;
      const process: Process = {
        spec,
        address: `10.210.${Math.floor(addresses / 250)}.${(addresses % 250) + 1}`,
        logs: [],
        listeners: new Set(),
        listening: false,
        healthy: true,
        onTerm: null,
        facts: { identity: spec, state: 'created' },
      };
      processes.set(spec.instanceId, process);
      tell(spec.instanceId, 'made');
      if (startMs > 0) await clock.sleep(startMs);
      if (spec.command?.[0] === '/does-not-exist') {
        throw new RuntimeError('cannot_start', '/does-not-exist: no such file or directory');
      }
      mayAct();
      run(process, program);
      return { instance: process.facts, createMs: 0, startMs };
    },
    async stop(instanceId, { graceMs, remove }, mayAct = anybodyMay) {
      answer();
      const process = processes.get(instanceId);
      if (!process) return null;
      if (process.facts.state === 'running') {
        mayAct();
        setPaused(process, false);
        process.onTerm?.();
        if (process.facts.state === 'running') await clock.sleep(graceMs);
        end(process, 137, false);
      }
      if (remove) {
        mayAct();
        processes.delete(instanceId);
        tell(instanceId);
      }
      return process.facts;
    },
    async pause(instanceId, mayAct = anybodyMay) {
      answer();
      mayAct();
      return setPaused(processes.get(instanceId), true);
    },
    async resume(instanceId, mayAct = anybodyMay) {
      answer();
      mayAct();
      return setPaused(processes.get(instanceId), false);
    },
    async restart(instanceId, mayAct = anybodyMay) {
      answer();
      const process = processes.get(instanceId);
      if (!process) return null;
      if (process.facts.state === 'running') return { instance: process.facts, createMs: 0, startMs: 0 };
      const program = programs.get(process.spec.image);
      if (!program) throw new RuntimeError('image_missing', `there is no ${process.spec.image}`);
      // A real start takes time, so that it can be told from the one before.
      await clock.sleep(Math.max(1, startMs));
      mayAct();
      process.onTerm = null;
      run(process, program);
      return { instance: process.facts, createMs: 0, startMs };
    },
    async exec(instanceId, [name], { timeoutMs }) {
      answer();
      const process = processes.get(instanceId);
      if (process?.facts.state !== 'running') return null;
      if (process.facts.paused || name === 'sleep') {
        await clock.sleep(timeoutMs);
        return null;
      }
      if (name === 'false') return 1;
      return process.healthy ? 0 : 1;
    },
    async list(instanceId) {
      answer();
      return [...processes.values()]
        .filter(({ spec }) => instanceId === undefined || spec.instanceId === instanceId)
        .map(({ facts }) => facts);
    },
    async *watch(signal) {
      const queue: RuntimeChange[] = [{ instanceId: null }];
      let wake: () => void = () => undefined;
      const push = (change: RuntimeChange) => {
        queue.push(change);
        wake();
      };
      const onAbort = () => wake();
      watchers.add(push);
      signal.addEventListener('abort', onAbort, { once: true });
      try {
        while (!signal.aborted) {
          const change = queue.shift();
          if (change) yield change;
          else
            await new Promise<void>((resolve) => {
              wake = resolve;
            });
        }
      } finally {
        watchers.delete(push);
        signal.removeEventListener('abort', onAbort);
      }
    },
    async stats(instanceId) {
      answer();
      const process = processes.get(instanceId);
      if (process?.facts.state !== 'running') return null;
      const used = { cpuMs: 0, memoryBytes: 1024 * 1024, processes: 1, receivedBytes: 0, sentBytes: 0 };
      return { at: clock.now(), ...used };
    },
    async *logs(instanceId, wanted) {
      answer();
      const process = processes.get(instanceId);
      if (process) yield* follow(process, wanted);
    },
    async tidy() {
      answer();
    },
    async ping() {
      answer();
    },
    listens(address, port) {
      return [...processes.values()].some(
        (process) =>
          process.listening &&
          process.healthy &&
          !process.facts.paused &&
          process.address === address &&
          process.spec.port === port,
      );
    },
    setHealthy(instanceId, healthy) {
      const process = processes.get(instanceId);
      if (process) process.healthy = healthy;
    },
    kill(instanceId, exitCode) {
      const process = processes.get(instanceId);
      if (process) end(process, exitCode, false);
    },
    setUnavailable(unavailable) {
      down = unavailable;
      if (!unavailable) tell(null);
    },
    starts: () => started,
  };
}
