import type { StartPhases } from '@skyrun/contracts';
import { systemClock as clock } from '@skyrun/kit';
import type { DesiredRevision } from '../reconcile/records.ts';
import { desiredOf } from '../testing/desired.ts';
import { firstByte, quantile, spread, startSetting } from './setting.ts';

/**
 * A request to each of many services at zero, all at once → first byte of each, against as many `docker run -d` at once → first
 * byte, in the same run.
 *
 *   ./skyrun bench parallel-starts [services]
 */

const SERVICES = Number(process.argv[2] ?? 100);
/** A project's network holds fewer addresses than that. */
const PER_PROJECT = 10;
const WITHIN_MS = 120_000;

const { harness, runtime, image, dockerRun, addressOf, container, stop } = await startSetting('10.217.0.0/16');

function serviceAt(index: number): DesiredRevision {
  const template = {
    resources: { memoryMib: 128 },
    terminationGraceSeconds: 1,
    startupProbe: { deadlineSeconds: WITHIN_MS / 1000 },
  };
  const project = `p${Math.floor(index / PER_PROJECT)}`;
  return desiredOf({ project, service: `s${index}`, image: image.reference, template });
}

/** What was told of a revision that did not come up. */
function historyOf(revisionId: string): string {
  const told = harness.events.flatMap((event) => {
    const text = JSON.stringify(event.data);
    if (!text.includes(revisionId)) return [];
    const why = event.type === 'skyrun.scaling.decided.v1' ? event.data.decision.sentence : text;
    return [`${event.time} ${event.type} ${why}`];
  });
  return told.length === 0 ? 'nothing was told of it' : told.join('; ');
}

interface Started {
  readonly ms: number[];
  readonly failures: number;
}

async function together(count: number, start: (index: number, began: number) => Promise<void>): Promise<Started> {
  const began = clock.monotonic();
  const ms: number[] = [];
  const results = await Promise.allSettled(
    Array.from({ length: count }, async (_, index) => {
      await start(index, began);
      ms.push(clock.monotonic() - began);
    }),
  );
  for (const result of results) if (result.status === 'rejected') console.log(`failed: ${String(result.reason)}`);
  return { ms, failures: results.filter(({ status }) => status === 'rejected').length };
}

async function ours(count: number): Promise<Started> {
  const services = Array.from({ length: count }, (_, index) => serviceAt(index));
  harness.registry.set(...services);
  await clock.sleep(2_000);
  const addresses = new Map<string, string>();
  const found = async (revisionId: string, began: number): Promise<string> => {
    for (;;) {
      const address = addresses.get(revisionId);
      if (address !== undefined) return address;
      if (clock.monotonic() - began > WITHIN_MS)
        throw new Error(`${revisionId} is not ready: ${historyOf(revisionId)}`);
      await clock.sleep(5);
    }
  };
  let seen = harness.events.length;
  const phases: StartPhases[] = [];
  const reading = setInterval(() => {
    for (; seen < harness.events.length; seen += 1) {
      const event = harness.events[seen];
      if (event?.type === 'skyrun.instance.ready.v1') {
        addresses.set(event.data.revisionId, event.data.address ?? '');
        if (event.data.startPhases) phases.push(event.data.startPhases);
      }
    }
  }, 5);
  try {
    return await together(count, async (index, began) => {
      const service = services[index];
      if (!service) throw new Error('as many as asked for');
      await harness.report(service, { windowMs: 0, requests: 0 });
      await firstByte(await found(service.revision.id, began));
    });
  } finally {
    clearInterval(reading);
    const named = (['queueMs', 'createMs', 'startMs', 'probeMs'] as const).map(
      (phase) =>
        `${phase.slice(0, -2)} ${quantile(
          phases.map((each) => each[phase] ?? 0),
          0.5,
        ).toFixed(0)} ms`,
    );
    if (count > 1) console.log(`phases at the median: ${named.join(', ')}`);
    harness.registry.set();
    const end = clock.monotonic() + WITHIN_MS;
    while ((await runtime.list()).length > 0 && clock.monotonic() < end) await clock.sleep(200);
  }
}

async function plain(count: number): Promise<Started> {
  const ids: string[] = [];
  try {
    return await together(count, async () => {
      const id = await dockerRun();
      ids.push(id);
      await firstByte(await addressOf(id));
    });
  } finally {
    await Promise.all(ids.map((id) => container(id).remove({ force: true })));
  }
}

try {
  // One of each first: what both need once is there then.
  await ours(1);
  await plain(1);
  const here = await ours(SERVICES);
  const there = await plain(SERVICES);
  console.log(`${SERVICES} at once`);
  console.log(`docker run + first byte   ${spread(there.ms)}  failures ${there.failures}`);
  console.log(`skyrun, from removed      ${spread(here.ms)}  failures ${here.failures}`);
  console.log(`ratio                     ${(quantile(here.ms, 0.95) / quantile(there.ms, 0.95)).toFixed(2)} × at p95`);
  if (here.failures > 0) process.exitCode = 1;
} finally {
  await stop();
}
