import { createMetrics, ManualClock, silentLogger } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { createOrchestratorMetrics } from '../metrics.ts';
import { createMemoryRuntime } from '../runtime/memory/memory-runtime.ts';
import { type Runtime, RuntimeError } from '../runtime/runtime.ts';
import { desiredOf } from '../testing/desired.ts';
import { execute } from './execute.ts';
import type { Execution } from './execution.ts';
import { createPlanner } from './planner.ts';
import { createWorld } from './world.ts';

test('a start that the engine did not answer is done again in half a second, though no event tells of it', async () => {
  const clock = new ManualClock();
  const world = createWorld([], []);
  const web = desiredOf();
  const planner = createPlanner({ world, can: { pause: false, restart: false }, inFlight: () => 0 });
  planner.desire(new Map([[web.revision.id, web]]));
  world.wanted.set(web.revision.id, 1);
  const tried: string[] = [];
  const away: Runtime = {
    ...createMemoryRuntime({ clock, programs: new Map() }),
    async start(spec) {
      tried.push(spec.instanceId);
      throw new RuntimeError('unavailable', 'the container engine does not answer');
    },
  };
  const execution: Execution = {
    world,
    runtime: away,
    ledger: { write: async () => undefined },
    logs: { finish: async () => undefined },
    ask: async () => false,
    clock,
    logger: silentLogger,
    metrics: createOrchestratorMetrics(createMetrics()),
    node: 'test',
    signal: new AbortController().signal,
    background: () => undefined,
    onReady: () => undefined,
    waiting: () => null,
    wake: (revisionId) => planner.changed(revisionId),
  };
  const round = async () => {
    for (const step of planner.plan(clock.now())) await execute(execution, step);
  };
  await round();
  expect(tried).toHaveLength(1);
  await round();
  expect(tried).toHaveLength(1);
  for (let attempt = 2; attempt <= 6; attempt += 1) {
    await clock.advance(500);
    await round();
    expect(tried).toHaveLength(attempt);
  }
  // It is one and the same instance, and nothing is held against its revision.
  expect(new Set(tried).size).toBe(1);
  expect(world.verdict(web.revision.id)).toMatchObject({ failures: 0, retryAt: 0 });
});
