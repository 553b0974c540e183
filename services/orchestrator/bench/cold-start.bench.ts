import { execFile } from 'node:child_process';
import { get } from 'node:http';
import { promisify } from 'node:util';
import { systemClock as clock, newId, silentLogger } from '@skyrun/kit';
import { startPostgres } from '@skyrun/testing';
import Docker from 'dockerode';
import { networkProber } from '../probes/probe.ts';
import { createDockerRuntime } from '../runtime/docker/docker-runtime.ts';
import { desiredOf } from '../testing/desired.ts';
import { startHarness } from '../testing/harness.ts';
import { loadTestImage } from '../testing/image.ts';

/**
 * A request to zero instances → first byte of the container, against `docker run -d` → first byte on the same image,
 * in turns in the same run. Ours includes the row, the sandbox, the probe, the ready event and its relay.
 */

const ROUNDS = Number(process.argv[2] ?? 10);
const SOCKET = '/var/run/docker.sock';
const run = promisify(execFile);

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

async function firstByte(address: string): Promise<void> {
  while (!(await answers(address))) await clock.sleep(5);
}

const middle = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
const ms = (value: number) => `${value.toFixed(0).padStart(5)} ms`;

const docker = new Docker({ socketPath: SOCKET });
const installation = `b${newId('instance', clock).slice(-8)}`;
const runtime = createDockerRuntime({
  socketPath: SOCKET,
  installation,
  networkPool: '10.213.0.0/16',
  networkPrefix: 26,
  egress: true,
  pidsLimit: 256,
  clock,
  logger: silentLogger,
});
const postgres = await startPostgres();
const database = await postgres.createDatabase('bench');
const image = await loadTestImage(runtime);
const harness = await startHarness({ databaseUrl: database.url, runtime, prober: networkProber });

async function plain(): Promise<number> {
  const began = clock.monotonic();
  const { stdout } = await run('docker', ['run', '-d', '-e', 'PORT=8080', image.reference]);
  const container = docker.getContainer(stdout.trim());
  const { NetworkSettings: network } = await container.inspect();
  await firstByte(network.Networks['bridge']?.IPAddress ?? '');
  const took = clock.monotonic() - began;
  await container.remove({ force: true });
  return took;
}

/** A revision at zero; what is left of it is retired afterwards. */
async function ours(): Promise<{ took: number; phases: string }> {
  const web = desiredOf({ image: image.reference });
  harness.registry.set(web);
  await clock.sleep(1_500);
  const began = clock.monotonic();
  await harness.report(web, { windowMs: 0, requests: 0 });
  const ready = await harness.until('ready', () =>
    harness.events.find(
      (event) => event.type === 'skyrun.instance.ready.v1' && event.data.revisionId === web.revision.id,
    ),
  );
  const instance = ready.type === 'skyrun.instance.ready.v1' ? ready.data : null;
  await firstByte(instance?.address ?? '');
  const took = clock.monotonic() - began;
  const { createMs = 0, startMs = 0, probeMs = 0 } = instance?.startPhases ?? {};
  harness.registry.set();
  await harness.until('gone', async () => (await runtime.list()).length === 0);
  return { took, phases: `create ${ms(createMs)}  start ${ms(startMs)}  probe ${ms(probeMs)}` };
}

try {
  const own: number[] = [];
  const peer: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const there = await plain();
    const { took, phases } = await ours();
    if (round === 0) continue; // Both have warmed the page cache now.
    own.push(took);
    peer.push(there);
    console.log(`round ${String(round).padStart(2)}  docker run ${ms(there)}  skyrun ${ms(took)}  ${phases}`);
  }
  console.log(`median    docker run ${ms(middle(peer))}  skyrun ${ms(middle(own))}`);
  console.log(`ratio     ${(middle(own) / middle(peer)).toFixed(2)} × docker run + first byte on the same image`);
} finally {
  await harness.stop();
  await runtime.tidy(new Set());
  await image.remove();
  await postgres.stop();
}
