import { silentLogger, systemClock } from '@skyrun/kit';
import { testDatabase, withinLoad } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { networkProber } from './probes/probe.ts';
import { createDockerRuntime } from './runtime/docker/docker-runtime.ts';
import type { Runtime } from './runtime/runtime.ts';
import { desiredOf } from './testing/desired.ts';
import { keepDiary } from './testing/diary.ts';
import { type Harness, startHarness } from './testing/harness.ts';
import { loadTestImage, type TestImage } from './testing/image.ts';
import { createPrivateEngine, type PrivateEngine } from './testing/private-engine.ts';

let engine: PrivateEngine;
let runtime: Runtime;
let image: TestImage;
let harness: Harness;
let drop: () => Promise<void>;
const diary = keepDiary();

const onSocket = (socketPath: string) =>
  createDockerRuntime({
    socketPath,
    installation: 'restart',
    networkPool: '10.214.0.0/16',
    networkPrefix: 26,
    egress: true,
    pidsLimit: 256,
    clock: systemClock,
    logger: silentLogger,
  });

beforeAll(async () => {
  engine = await createPrivateEngine(onSocket);
  await engine.start();
  runtime = onSocket(engine.socketPath);
  image = await loadTestImage(runtime);
  const database = await testDatabase('orchestrator');
  drop = () => database.drop();
  harness = await startHarness({ databaseUrl: database.url, runtime, prober: networkProber, logger: diary.logger });
});

afterAll(async () => {
  await harness.stop();
  for (const { identity } of await runtime.list()) {
    await runtime.stop(identity.instanceId, { graceMs: 0, remove: true });
  }
  await runtime.tidy(new Set());
  await image.remove();
  await engine.remove();
  await drop();
});

const running = async () => (await runtime.list()).filter(({ state }) => state === 'running');
const ids = async () => (await running()).map(({ identity }) => identity.instanceId).toSorted();

test('the engine is killed under load and comes back: within ten seconds what is wanted runs again, once, and nothing else is left', async ({
  onTestFailed,
}) => {
  onTestFailed(async () => {
    console.error(`what the orchestrator did:\n${diary.read()}\nwhat the engine said:\n${await engine.lastWords()}`);
  });
  const template = { resources: { memoryMib: 128 }, scaling: { minScale: 3, maxScale: 3 } };
  const web = desiredOf({ image: image.reference, template });
  harness.registry.set(web);
  const ready = () => harness.events.filter(({ type }) => type === 'skyrun.instance.ready.v1').length;
  await harness.until('three ready', () => ready() === 3);
  const before = await ids();
  const loading = new AbortController();
  const load = (async () => {
    while (!loading.signal.aborted) {
      // As gateways that send each instance some requests, all the time.
      await harness.report(web, { current: 6, requests: 20 });
      await systemClock.sleep(100);
    }
  })();
  try {
    diary.logger.info('the engine is killed');
    await engine.kill();
    await systemClock.sleep(1_500);
    await engine.start();
    diary.logger.info('the engine answers');
    const began = systemClock.monotonic();
    await harness.until('three that are ready', async () => {
      const { items } = await harness.instances('demo', 'web');
      const now = new Set(await ids());
      return now.size === 3 && items.length === 3 && items.every(({ id, state }) => state === 'ready' && now.has(id));
    });
    const tookMs = Math.round(systemClock.monotonic() - began);
    diary.logger.info({ tookMs }, 'what is wanted runs again');
    expect(tookMs).toBeLessThan(withinLoad(10_000));
  } finally {
    loading.abort();
    await load;
  }
  await systemClock.sleep(1_000);
  expect(await running()).toHaveLength(3);
  expect(await runtime.list()).toHaveLength(3);
  const failed = harness.events.flatMap((event) => (event.type === 'skyrun.instance.failed.v1' ? [event.data.id] : []));
  const kept = (await ids()).filter((id) => before.includes(id));
  expect([...failed, ...kept].toSorted()).toEqual(before);
}, 180_000);
