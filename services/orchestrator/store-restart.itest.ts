import { OPERATIONS } from '@skyrun/contracts';
import { systemClock } from '@skyrun/kit';
import { startPostgres, type TestPostgres, withinLoad } from '@skyrun/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createMemoryRuntime, type MemoryRuntime } from './runtime/memory/memory-runtime.ts';
import { sampleProgram } from './runtime/memory/program.ts';
import { desiredOf, TEST_IMAGE } from './testing/desired.ts';
import { type Harness, startHarness } from './testing/harness.ts';

let postgres: TestPostgres;
let runtime: MemoryRuntime;
let harness: Harness;

beforeEach(async () => {
  postgres = await startPostgres();
  const { url } = await postgres.createDatabase('orchestrator');
  runtime = createMemoryRuntime({ clock: systemClock, programs: new Map([[TEST_IMAGE, sampleProgram]]) });
  const prober = async ({ address, port }: { address: string; port: number }) => runtime.listens(address, port);
  harness = await startHarness({ databaseUrl: url, runtime, prober });
});

afterEach(async () => {
  await harness.stop();
  await postgres.stop();
});

const runningIds = async () =>
  (await runtime.list())
    .filter(({ state }) => state === 'running')
    .map(({ identity }) => identity.instanceId)
    .toSorted();

test('PostgreSQL is killed: what runs goes on, and within ten seconds of its return what is wanted runs once', async () => {
  const web = desiredOf({ template: { scaling: { minScale: 2 } } });
  harness.registry.set(web);
  await harness.until('two', async () => (await runningIds()).length === 2);
  await systemClock.sleep(300);
  const before = await runningIds();
  await postgres.kill();
  await systemClock.sleep(2_500);
  expect(await runningIds()).toEqual(before);
  const api = desiredOf({ service: 'api', template: { scaling: { minScale: 1 } } });
  harness.registry.set(web, api);
  await systemClock.sleep(1_500);
  expect(runtime.starts()).toBe(2);
  await postgres.restart();
  const began = systemClock.monotonic();
  await harness.until('three', async () => (await runningIds()).length === 3);
  expect(systemClock.monotonic() - began).toBeLessThan(withinLoad(10_000));
  await systemClock.sleep(1_000);
  expect(runtime.starts()).toBe(3);
  const { items } = await harness.client.call(OPERATIONS.listInstances, {
    params: { project: 'demo', service: 'web' },
  });
  expect(items.map(({ id }) => id).toSorted()).toEqual(before);
}, 120_000);
