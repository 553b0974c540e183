import { systemClock as clock } from '@skyrun/kit';
import { desiredOf } from '../testing/desired.ts';
import { firstByte, quantile, spread, startSetting } from './setting.ts';

/**
 * A stopped container that was kept: a waiting request → first byte, against `docker start` → first byte of a container of
 * the same image, in turns in the same run. Ours includes the probe, the writes and the ready event.
 *
 *   ./skyrun bench restart [rounds]
 */

const ROUNDS = Number(process.argv[2] ?? 6);
const MOST = 1.15;

const { harness, image, dockerRun, addressOf, container, stop } = await startSetting('10.216.0.0/16');
const scaling = {
  stableWindowSeconds: 6,
  scaleToZeroGraceSeconds: 1,
  idle: { pausedSeconds: 0, stoppedSeconds: 3600 },
};
const web = desiredOf({ image: image.reference, template: { scaling, terminationGraceSeconds: 1 } });
const instance = async () => (await harness.instances('demo', 'web')).items[0];
const peer = await dockerRun();

async function plain(): Promise<number> {
  await container(peer).stop({ t: 1 });
  const began = clock.monotonic();
  await container(peer).start();
  await firstByte(await addressOf(peer));
  return clock.monotonic() - began;
}

async function ours(): Promise<number> {
  await harness.until('parked', async () => (await instance())?.state === 'parked');
  const seen = harness.events.length;
  const began = clock.monotonic();
  await harness.report(web, { windowMs: 0, requests: 0 });
  const ready = await harness.until('ready', () =>
    harness.events.slice(seen).find(({ type }) => type === 'skyrun.instance.ready.v1'),
  );
  await firstByte(ready.type === 'skyrun.instance.ready.v1' ? (ready.data.address ?? '') : '');
  const took = clock.monotonic() - began;
  await harness.report(web, { current: 0, requests: 1 });
  return took;
}

try {
  harness.registry.set(web);
  await firstByte(await addressOf(peer));
  await harness.report(web, { windowMs: 0, requests: 0 });
  await harness.until('ready', async () => (await instance())?.state === 'ready');
  await harness.report(web, { current: 0, requests: 1 });
  const own: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const there = await plain();
    const here = await ours();
    if (round === 0) continue; // Both are warm now.
    bare.push(there);
    own.push(here);
  }
  console.log(`docker start + first byte   ${spread(bare)}`);
  console.log(`skyrun, from stopped        ${spread(own)}`);
  console.log(
    `ratio                       ${(quantile(own, 0.5) / quantile(bare, 0.5)).toFixed(2)} × at the median (aim: ≤ ${MOST})`,
  );
} finally {
  await container(peer).remove({ force: true });
  await stop();
}
