import { systemClock as clock } from '@skyrun/kit';
import { desiredOf } from '../testing/desired.ts';
import { firstByte, quantile, spread, startSetting } from './setting.ts';

/**
 * A step of the load at a random moment between two reports of a gateway → the decision → the first further instance is ready
 * and answers. The peer is `docker run -d` → first byte, which is the least that another container takes.
 *
 *   ./skyrun bench scale-up [rounds]
 */

const ROUNDS = Number(process.argv[2] ?? 8);
const AIM_MS = 2_000;
const REPORT_MS = 1_000;
/** As long as a panic window, so that the step is a step. */
const STEADY_REPORTS = 6;
const BEFORE = 5;
const AFTER = 40;

const { harness, runtime, image, dockerRun, addressOf, container, stop } = await startSetting('10.218.0.0/16');

async function plain(): Promise<number> {
  const began = clock.monotonic();
  const id = await dockerRun();
  await firstByte(await addressOf(id));
  const took = clock.monotonic() - began;
  await container(id).remove({ force: true });
  return took;
}

async function step(): Promise<{ decidedMs: number; readyMs: number }> {
  const template = {
    containerConcurrency: 10,
    resources: { memoryMib: 128 },
    terminationGraceSeconds: 1,
    scaling: { minScale: 1, maxScale: 8 },
  };
  const web = desiredOf({ image: image.reference, template });
  harness.registry.set(web);
  const ready = () =>
    harness.events.flatMap((event) =>
      event.type === 'skyrun.instance.ready.v1' && event.data.revisionId === web.revision.id ? [event.data] : [],
    );
  await harness.until('the first', () => ready().length === 1);
  let current = BEFORE;
  let over = false;
  const gateway = (async () => {
    while (!over) {
      const began = clock.monotonic();
      await harness.report(web, { current });
      await clock.sleep(Math.max(1, REPORT_MS - (clock.monotonic() - began)));
    }
  })();
  await clock.sleep(STEADY_REPORTS * REPORT_MS + Math.random() * REPORT_MS);
  const began = clock.monotonic();
  current = AFTER;
  await harness.until('a decision', () =>
    harness.events.some(
      (event) =>
        event.type === 'skyrun.scaling.decided.v1' &&
        event.data.revisionId === web.revision.id &&
        event.data.decision.from >= 1 &&
        event.data.decision.to > event.data.decision.from,
    ),
  );
  const decidedMs = clock.monotonic() - began;
  const second = await harness.until('a further instance', () => ready()[1]);
  await firstByte(second.address ?? '');
  const readyMs = clock.monotonic() - began;
  over = true;
  await gateway;
  harness.registry.set();
  await harness.until('gone', async () => (await runtime.list()).length === 0);
  return { decidedMs, readyMs };
}

try {
  const decided: number[] = [];
  const ready: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) {
    const there = await plain();
    const { decidedMs, readyMs } = await step();
    if (round === 0) continue; // Both are warm now.
    bare.push(there);
    decided.push(decidedMs);
    ready.push(readyMs);
  }
  console.log(`docker run + first byte       ${spread(bare)}`);
  console.log(`step → decision               ${spread(decided)}`);
  console.log(`step → decision → first byte  ${spread(ready)}   (aim: p95 ≤ ${AIM_MS} ms)`);
  console.log(
    `ratio                         ${(quantile(ready, 0.5) / quantile(bare, 0.5)).toFixed(2)} × at the median`,
  );
} finally {
  await stop();
}
