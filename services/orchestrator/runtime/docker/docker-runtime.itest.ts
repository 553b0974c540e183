import { newId, silentLogger, systemClock } from '@skyrun/kit';
import { dockerSocket } from '@skyrun/testing';
import Docker from 'dockerode';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadTestImage, type TestImage } from '../../testing/image.ts';
import { runtimeConformance } from '../conformance/conformance.ts';
import { createDockerRuntime } from './docker-runtime.ts';
import { configDigest } from './images.ts';

const installation = `t${newId('instance', systemClock).slice(-8)}`;
const runtime = createDockerRuntime({
  socketPath: await dockerSocket(),
  installation,
  networkPool: '10.211.0.0/16',
  networkPrefix: 26,
  egress: true,
  pidsLimit: 256,
  clock: systemClock,
  logger: silentLogger,
});
let image: TestImage;

beforeAll(async () => {
  image = await loadTestImage(runtime);
});

afterAll(async () => {
  for (const { identity } of await runtime.list()) {
    await runtime.stop(identity.instanceId, { graceMs: 0, remove: true });
  }
  await runtime.tidy(new Set());
  await image.remove();
});

test('an image’s configuration is known by its digest even where the engine names it otherwise', async () => {
  const docker = new Docker({ socketPath: await dockerSocket() });
  expect(await configDigest(docker, image.reference)).toBe(image.digest);
});

runtimeConformance('docker', () => ({ runtime, clock: systemClock, image: image.reference }));
