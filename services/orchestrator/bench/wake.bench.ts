import { get } from 'node:http';
import { OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, newId, silentLogger } from '@skyrun/kit';
import { startPostgres } from '@skyrun/testing';
import { networkProber } from '../probes/probe.ts';
import { instanceSpec, newRecord } from '../reconcile/records.ts';
import { createDockerRuntime } from '../runtime/docker/docker-runtime.ts';
import { desiredOf } from '../testing/desired.ts';
import { startHarness } from '../testing/harness.ts';
import { loadTestImage } from '../testing/image.ts';

/**
 * A paused instance: the gateway's question over HTTP → first byte of the container, against the engine's own unpause →
 * first byte of the same container, in turns in the same run. The way through the gateway adds what a forwarded request adds.
 */

const ROUNDS = Number(process.argv[2] ?? 20);
const TARGET_P95_MS = 30;
const SOCKET = '/var/run/docker.sock';

function firstByte(host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const asked = get({ host, port: 8080, agent: false }, (response) => {
      response.once('data', () => resolve());
      response.resume();
    });
    asked.once('error', reject);
  });
}

const at = (values: readonly number[], share: number) =>
  values.toSorted((a, b) => a - b)[Math.max(0, Math.ceil(values.length * share) - 1)] ?? 0;
const shown = (values: readonly number[]) =>
  `p50 ${at(values, 0.5).toFixed(1)} ms  p95 ${at(values, 0.95).toFixed(1)} ms  worst ${at(values, 1).toFixed(1)} ms`;

const engine = (prefix: string, networkPool: string) =>
  createDockerRuntime({
    socketPath: SOCKET,
    installation: `${prefix}${newId('instance', clock).slice(-8)}`,
    networkPool,
    networkPrefix: 26,
    egress: true,
    pidsLimit: 256,
    clock,
    logger: silentLogger,
  });
const runtime = engine('b', '10.214.0.0/16');
/** Holds a container that no orchestrator looks after. */
const alone = engine('p', '10.215.0.0/16');
const postgres = await startPostgres();
const database = await postgres.createDatabase('bench');
const image = await loadTestImage(runtime);
const harness = await startHarness({ databaseUrl: database.url, runtime, prober: networkProber });

const scaling = { stableWindowSeconds: 6, scaleToZeroGraceSeconds: 1, idle: { pausedSeconds: 3600 } };
const web = desiredOf({ image: image.reference, template: { scaling } });
const instance = async () => (await harness.instances('demo', 'web')).items[0];

const frozen = () => harness.until('frozen', async () => (await runtime.list())[0]?.paused === true);
const peer = newRecord(web, { instanceId: newId('instance', clock), node: 'bench', now: clock.now() });

try {
  harness.registry.set(web);
  await clock.sleep(1500);
  await harness.report(web, { windowMs: 0, requests: 0 });
  await harness.until('ready', async () => (await instance())?.state === 'ready');
  await harness.report(web, { current: 0, requests: 1 });
  const { address = '' } = (await alone.start(instanceSpec(web, peer))).instance;
  await harness.until('the peer answers', () =>
    firstByte(address).then(
      () => true,
      () => false,
    ),
  );
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    await frozen();
    await alone.pause(peer.instanceId);
    const begun = clock.monotonic();
    await alone.resume(peer.instanceId);
    await firstByte(address);
    const bareMs = clock.monotonic() - begun;
    const asked = clock.monotonic();
    const body = { revisionId: web.revision.id };
    const { resumed } = await harness.client.call(OPERATIONS.wakeRevision, { body });
    await firstByte(resumed[0]?.address ?? '');
    const took = clock.monotonic() - asked;
    if (round === 0) continue; // Connections and code are warm now.
    ours.push(took);
    bare.push(bareMs);
  }
  console.log(`unpause + first byte   ${shown(bare)}`);
  console.log(`skyrun                 ${shown(ours)}   (aim: p95 ≤ ${TARGET_P95_MS} ms)`);
  console.log(`ratio                  ${(at(ours, 0.5) / at(bare, 0.5)).toFixed(2)} × at the median`);
} finally {
  harness.registry.set();
  await harness.until('gone', async () => (await runtime.list()).length === 0);
  await alone.stop(peer.instanceId, { graceMs: 0, remove: true });
  await alone.tidy(new Set());
  await harness.stop();
  await runtime.tidy(new Set());
  await image.remove();
  await postgres.stop();
}
