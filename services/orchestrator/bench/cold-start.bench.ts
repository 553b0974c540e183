import { systemClock as clock } from '@skyrun/kit';
import { desiredOf } from '../testing/desired.ts';
import { firstByte, quantile, startSetting } from './setting.ts';

/**
 * A request to zero instances → first byte of the container, against `docker run -d` → first byte on the same image,
 * in turns in the same run. Ours includes the row, the sandbox, the probe, the ready event and its relay.
 *
 *   ./skyrun bench cold-start [rounds]
 */

const ROUNDS = Number(process.argv[2] ?? 10);
const MOST = 1.25;
const ms = (value: number) => `${value.toFixed(0).padStart(5)} ms`;

const { harness, runtime, image, dockerRun, addressOf, container, stop } = await startSetting('10.213.0.0/16');

async function plain(): Promise<number> {
  const began = clock.monotonic();
  const id = await dockerRun();
  await firstByte(await addressOf(id));
  const took = clock.monotonic() - began;
  await container(id).remove({ force: true });
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
  const [here, there] = [quantile(own, 0.5), quantile(peer, 0.5)];
  console.log(`median    docker run ${ms(there)}  skyrun ${ms(here)}`);
  console.log(`ratio     ${(here / there).toFixed(2)} × docker run + first byte on the same image (aim: ≤ ${MOST})`);
} finally {
  await stop();
}
