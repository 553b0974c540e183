import { execFile } from 'node:child_process';
import { get } from 'node:http';
import { promisify } from 'node:util';
import { systemClock as clock, newId, silentLogger } from '@skyrun/kit';
import { startPostgres } from '@skyrun/testing';
import Docker from 'dockerode';
import { networkProber } from '../probes/probe.ts';
import { createDockerRuntime } from '../runtime/docker/docker-runtime.ts';
import { containerName } from '../runtime/docker/labels.ts';
import type { Runtime } from '../runtime/runtime.ts';
import { type Harness, startHarness } from '../testing/harness.ts';
import { loadTestImage, type TestImage } from '../testing/image.ts';

const run = promisify(execFile);
const SOCKET = '/var/run/docker.sock';

/** One orchestrator on the machine's Docker, and the same image for the engine alone. */
export interface Setting {
  readonly harness: Harness;
  readonly runtime: Runtime;
  readonly image: TestImage;
  /** A container by `docker run -d`, without us; answers its id. */
  dockerRun(): Promise<string>;
  addressOf(container: string): Promise<string>;
  container(id: string): Docker.Container;
  stop(): Promise<void>;
}

/** Containers as the orchestrator makes them, that no orchestrator looks after. */
export interface Alone {
  readonly runtime: Runtime;
  /** The engine's own handle of an instance's container. */
  container(instanceId: string): Docker.Container;
}

export function startAlone(networkPool: string): Alone {
  const installation = `p${newId('instance', clock).slice(-8)}`;
  const docker = new Docker({ socketPath: SOCKET });
  return {
    runtime: engine(installation, networkPool),
    container: (instanceId) => docker.getContainer(containerName(installation, instanceId)),
  };
}

function engine(installation: string, networkPool: string): Runtime {
  return createDockerRuntime({
    socketPath: SOCKET,
    installation,
    networkPool,
    networkPrefix: 26,
    egress: true,
    pidsLimit: 256,
    clock,
    logger: silentLogger,
  });
}

export async function startSetting(networkPool: string): Promise<Setting> {
  const docker = new Docker({ socketPath: SOCKET });
  const runtime = engine(`b${newId('instance', clock).slice(-8)}`, networkPool);
  const postgres = await startPostgres();
  const database = await postgres.createDatabase('bench');
  const image = await loadTestImage(runtime);
  const harness = await startHarness({ databaseUrl: database.url, runtime, prober: networkProber });
  return {
    harness,
    runtime,
    image,
    async dockerRun() {
      const { stdout } = await run('docker', ['run', '-d', '-e', 'PORT=8080', image.reference]);
      return stdout.trim();
    },
    async addressOf(container) {
      const { NetworkSettings: network } = await docker.getContainer(container).inspect();
      return network.Networks['bridge']?.IPAddress ?? '';
    },
    container: (id) => docker.getContainer(id),
    async stop() {
      harness.registry.set();
      const end = clock.monotonic() + 60_000;
      while ((await runtime.list()).length > 0 && clock.monotonic() < end) await clock.sleep(200);
      await harness.stop();
      await runtime.tidy(new Set());
      await image.remove();
      await postgres.stop();
    },
  };
}

function answers(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = get({ host: address, port: 8080, agent: false, timeout: 1000 }, (response) => {
      response.once('data', () => resolve(true));
      response.resume();
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(false));
  });
}

/** Asks until the first byte of an answer comes. Throws after a minute. */
export async function firstByte(address: string): Promise<void> {
  const end = clock.monotonic() + 60_000;
  while (!(await answers(address))) {
    if (clock.monotonic() > end) throw new Error(`${address} does not answer`);
    await clock.sleep(5);
  }
}

/** By nearest rank: a figure that was measured. */
export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? 0;

export const spread = (values: readonly number[], digits = 0): string =>
  [0.5, 0.95, 1]
    .map(
      (share, index) => `${['p50', 'p95', 'worst'][index]} ${quantile(values, share).toFixed(digits).padStart(5)} ms`,
    )
    .join('  ');
