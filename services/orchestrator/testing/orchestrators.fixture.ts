import { systemClock } from '@skyrun/kit';
import { testDatabase } from '@skyrun/testing';
import { afterEach, beforeEach } from 'vitest';
import { createMemoryRuntime, type MemoryRuntime } from '../runtime/memory/memory-runtime.ts';
import { sampleProgram } from '../runtime/memory/program.ts';
import { TEST_IMAGE } from './desired.ts';
import { type Harness, type HarnessOptions, startHarness } from './harness.ts';

/** To zero at once, without the rungs of the idle ladder. */
export const TO_ZERO_AT_ONCE = {
  scaling: { stableWindowSeconds: 6, scaleToZeroGraceSeconds: 1, idle: { pausedSeconds: 0 } },
};

/** Orchestrators that follow each other on one store and one engine, both new for each test of a file. */
export interface Orchestrators {
  /** Stopped after the test, if not before. */
  start(more?: Partial<HarnessOptions>): Promise<Harness>;
  readonly runtime: MemoryRuntime;
  readonly databaseUrl: string;
  runningNow(): ReturnType<MemoryRuntime['list']>;
}

export function useOrchestrators(): Orchestrators {
  let now: { readonly runtime: MemoryRuntime; readonly databaseUrl: string; drop(): Promise<void> } | null = null;
  const running: Harness[] = [];
  const current = () => {
    if (now === null) throw new Error('only within a test');
    return now;
  };
  beforeEach(async () => {
    const database = await testDatabase('orchestrator');
    const programs = new Map([[TEST_IMAGE, sampleProgram]]);
    const runtime = createMemoryRuntime({ clock: systemClock, programs, importedProgram: sampleProgram });
    now = { runtime, databaseUrl: database.url, drop: () => database.drop() };
  });
  afterEach(async () => {
    await Promise.all(running.splice(0).map((harness) => harness.stop()));
    await now?.drop();
    now = null;
  });

  return {
    async start(more = {}) {
      const { runtime, databaseUrl } = current();
      const prober: HarnessOptions['prober'] = async ({ address, port }) => runtime.listens(address, port);
      const harness = await startHarness({ databaseUrl, runtime, prober, ...more });
      running.push(harness);
      return harness;
    },
    get runtime() {
      return current().runtime;
    },
    get databaseUrl() {
      return current().databaseUrl;
    },
    runningNow: async () => (await current().runtime.list()).filter(({ state }) => state === 'running'),
  };
}

/** The types of the events so far that begin so. */
export function types(harness: Harness, prefix: string): string[] {
  return harness.events.filter(({ type }) => type.startsWith(prefix)).map(({ type }) => type);
}

export function usageOf(harness: Harness) {
  return harness.events.flatMap((event) => (event.type === 'skyrun.usage.recorded.v1' ? [event.data] : []));
}
