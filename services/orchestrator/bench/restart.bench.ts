import { systemClock as clock, newId } from '@skyrun/kit';
import { instanceSpec, newRecord } from '../reconcile/records.ts';
import { desiredOf } from '../testing/desired.ts';
import { firstByte, quantile, spread, startAlone, startSetting } from './setting.ts';

/**
 * A stopped container that was kept: a waiting request → first byte, against `docker start` → first byte, in turns in the same
 * run: of a container that is made as ours is, on a network of its own and with our limits, and of one by a plain `docker run`.
 * Ours includes the probe, the writes and the ready event.
 *
 *   ./skyrun bench restart [rounds]
 */

const ROUNDS = Number(process.argv[2] ?? 6);
const MOST = 1.15;

const { harness, image, dockerRun, addressOf, container, stop } = await startSetting('10.216.0.0/16');
const alone = startAlone('10.218.0.0/16');
const scaling = {
  stableWindowSeconds: 6,
  scaleToZeroGraceSeconds: 1,
  idle: { pausedSeconds: 0, stoppedSeconds: 3600 },
};
const web = desiredOf({ image: image.reference, template: { scaling, terminationGraceSeconds: 1 } });
const instance = async () => (await harness.instances('demo', 'web')).items[0];
const plain = await dockerRun();
const same = newRecord(web, { instanceId: newId('instance', clock), node: 'bench', now: clock.now() });

interface Round {
  readonly took: number;
  readonly startMs: number;
}

async function startPlain(): Promise<number> {
  await container(plain).stop({ t: 1 });
  const began = clock.monotonic();
  await container(plain).start();
  await firstByte(await addressOf(plain));
  return clock.monotonic() - began;
}

async function startSame(): Promise<Round> {
  const made = alone.container(same.instanceId);
  await made.stop({ t: 1 });
  const began = clock.monotonic();
  await made.start();
  const startMs = clock.monotonic() - began;
  const { NetworkSettings: network } = await made.inspect();
  await firstByte(Object.values(network.Networks)[0]?.IPAddress ?? '');
  return { took: clock.monotonic() - began, startMs };
}

async function ours(): Promise<Round & { readonly probeMs: number }> {
  await harness.until('parked', async () => (await instance())?.state === 'parked');
  let seen = harness.events.length;
  const began = clock.monotonic();
  await harness.report(web, { windowMs: 0, requests: 0 });
  for (;;) {
    const event = harness.events[seen];
    if (event === undefined) {
      if (clock.monotonic() - began > 60_000) throw new Error('it is not ready within a minute');
      await clock.sleep(1);
      continue;
    }
    seen += 1;
    if (event.type !== 'skyrun.instance.ready.v1') continue;
    await firstByte(event.data.address ?? '');
    const took = clock.monotonic() - began;
    await harness.report(web, { current: 0, requests: 1 });
    const { startMs = 0, probeMs = 0 } = event.data.startPhases ?? {};
    return { took, startMs, probeMs };
  }
}

try {
  harness.registry.set(web);
  await alone.runtime.start(instanceSpec(web, same));
  await firstByte(await addressOf(plain));
  await harness.report(web, { windowMs: 0, requests: 0 });
  await harness.until('ready', async () => (await instance())?.state === 'ready');
  await harness.report(web, { current: 0, requests: 1 });
  const own: Awaited<ReturnType<typeof ours>>[] = [];
  const sames: Round[] = [];
  const plains: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const [there, alike] = [await startPlain(), await startSame()];
    const here = await ours();
    if (round === 0) continue; // All are warm now.
    plains.push(there);
    sames.push(alike);
    own.push(here);
  }
  const tooks = (rounds: readonly Round[]) => rounds.map(({ took }) => took);
  const starts = (rounds: readonly Round[]) =>
    `of which the engine's start ${quantile(
      rounds.map(({ startMs }) => startMs),
      0.5,
    ).toFixed(0)} ms`;
  const probe = quantile(
    own.map(({ probeMs }) => probeMs),
    0.5,
  );
  const ratio = (peer: readonly number[]) => `${(quantile(tooks(own), 0.5) / quantile(peer, 0.5)).toFixed(2)} ×`;
  console.log(`docker start + first byte, made alike   ${spread(tooks(sames))}  ${starts(sames)}`);
  console.log(`docker start + first byte, docker run   ${spread(plains)}`);
  console.log(`skyrun, from stopped                    ${spread(tooks(own))}  ${starts(own)}, probe ${probe} ms`);
  console.log(
    `ratio at the median                     ${ratio(tooks(sames))} (aim: ≤ ${MOST}); to docker run's ${ratio(plains)}`,
  );
} finally {
  await container(plain).remove({ force: true });
  await alone.runtime.stop(same.instanceId, { graceMs: 0, remove: true });
  await alone.runtime.tidy(new Set());
  await stop();
}
