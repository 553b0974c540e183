import { OPERATIONS } from '@skyrun/contracts';
import { systemClock as clock, newId } from '@skyrun/kit';
import { instanceSpec, newRecord } from '../reconcile/records.ts';
import { desiredOf } from '../testing/desired.ts';
import { firstByte, quantile, spread, startAlone, startSetting } from './setting.ts';

/**
 * A paused instance: the gateway's question over HTTP → first byte of the container, against the engine's own unpause →
 * first byte of the same container, in turns in the same run. The way through the gateway adds what a forwarded request adds.
 *
 *   ./skyrun bench wake [rounds]
 */

const ROUNDS = Number(process.argv[2] ?? 20);
const TARGET_P95_MS = 30;

const { harness, runtime, image, stop } = await startSetting('10.214.0.0/16');
const alone = startAlone('10.215.0.0/16');
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
  const { address = '' } = (await alone.runtime.start(instanceSpec(web, peer))).instance;
  await firstByte(address);
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    await frozen();
    await alone.runtime.pause(peer.instanceId);
    const begun = clock.monotonic();
    await alone.container(peer.instanceId).unpause();
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
  console.log(`unpause + first byte   ${spread(bare, 1)}`);
  console.log(`skyrun                 ${spread(ours, 1)}   (aim: p95 ≤ ${TARGET_P95_MS} ms)`);
  console.log(`ratio                  ${(quantile(ours, 0.5) / quantile(bare, 0.5)).toFixed(2)} × at the median`);
} finally {
  await alone.runtime.stop(peer.instanceId, { graceMs: 0, remove: true });
  await alone.runtime.tidy(new Set());
  await stop();
}
