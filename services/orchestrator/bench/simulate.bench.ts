import { systemClock as clock } from '@skyrun/kit';
import { type Outcome, type SimulatedService, simulate } from '../simulate/simulate.ts';
import { classOf, steady, type Traffic, type TrafficClass, trafficOf } from '../simulate/traffic.ts';
import { desiredOf } from '../testing/desired.ts';

/**
 * The product's own intake, autoscaler and planner on a simulated clock: a day of traffic over many services on one core, and
 * what the control loop costs by how many services exist and how many of them change.
 *
 *   ./skyrun bench simulate [services] [hours] [seed]
 */

const [services = 10_000, hours = 24, seed = 1] = process.argv.slice(2).map(Number);
const FROM = Date.UTC(2026, 0, 5);
const HOUR_MS = 3_600_000;

const serviceOf = (traffic: Traffic, index: number, scaling: Record<string, unknown>): SimulatedService => ({
  desired: desiredOf({ service: `s${index}`, template: { containerConcurrency: 80, scaling } }),
  traffic,
});

function print(rows: readonly (readonly string[])[]): void {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  for (const row of rows) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0)))
        .join('  '),
    );
  }
}

const whole = (value: number) => Math.round(value).toLocaleString('en');

async function day(): Promise<void> {
  const kinds: TrafficClass[] = [];
  const all = Array.from({ length: services }, (_, index) => {
    const kind = classOf(index);
    kinds.push(kind);
    return serviceOf(trafficOf(kind, index, seed), index, { maxScale: 100 });
  });
  const began = clock.monotonic();
  const outcome = await simulate({ services: all, lastsMs: hours * HOUR_MS, from: FROM, stopwatch: clock });
  const tookS = (clock.monotonic() - began) / 1000;
  const { loopMs, judgements, decisions, scaleUps, scaleDowns, flaps, starts } = outcome;
  const seconds = outcome.simulatedMs / 1000;
  const count = (kind: TrafficClass) => whole(kinds.filter((each) => each === kind).length);
  console.log(
    `${whole(services)} services (${count('busy')} busy, ${count('hourly')} hourly, ${count('rare')} rare), ${hours} h of traffic, seed ${seed}: ${tookS.toFixed(0)} s on one core`,
  );
  print([
    [
      'control loop',
      `${(loopMs / 1000).toFixed(1)} s`,
      `${((100 * loopMs) / outcome.simulatedMs).toFixed(2)} % of a core`,
    ],
    ['  per service and second', `${((loopMs * 1000) / (services * seconds)).toFixed(3)} µs`, ''],
    ['  judgements', whole(judgements), `${whole((judgements * 1000) / loopMs)} /s`],
    [
      '  a loop over all would judge',
      whole(services * seconds),
      `${whole((services * seconds) / judgements)} × as many`,
    ],
    ['decisions', whole(decisions), `${whole(scaleUps)} up, ${whole(scaleDowns)} down`],
    ['flaps (back within a stable window)', whole(flaps), `${((100 * flaps) / decisions).toFixed(2)} % of decisions`],
    ['cold starts', whole(starts.created + starts.restarted), `and ${whole(starts.resumed)} resumed in milliseconds`],
    [
      'requests waiting',
      `${((100 * outcome.waitingSeconds) / outcome.requestSeconds).toFixed(3)} %`,
      'of the time of all',
    ],
    [
      'over-provision',
      `${((100 * outcome.readySeconds) / outcome.neededSeconds - 100).toFixed(0)} %`,
      'instances beyond the target',
    ],
    ['at zero', `${((100 * outcome.zeroSeconds) / (services * seconds)).toFixed(1)} %`, 'of all services’ time'],
  ]);
}

/** Some of many services have traffic, all others rest with one instance each. */
async function costOf(existing: number, changing: number): Promise<Outcome> {
  const still: Traffic = () => ({ concurrency: 0, until: Number.MAX_SAFE_INTEGER });
  const all = Array.from({ length: existing }, (_, index) =>
    serviceOf(index < changing ? steady(40, index) : still, index, { minScale: 1, maxScale: 100 }),
  );
  return await simulate({ services: all, lastsMs: SPAN_MS, from: FROM, stopwatch: clock, measureAfterMs: WARM_MS });
}

/** The first minutes are left out: all services begin at once. */
const WARM_MS = 180_000;
const SPAN_MS = WARM_MS + 120_000;

async function matrix(): Promise<void> {
  const existing = [100, 1_000, 10_000];
  const changing = [0, 10, 100, 1_000];
  const rows = [['services existing', ...changing.map((count) => `${whole(count)} changing`)]];
  for (const exist of existing) {
    const row = [whole(exist)];
    for (const change of changing) {
      if (change > exist) row.push('–');
      else {
        const { loopMs } = await costOf(exist, change);
        row.push(`${((loopMs * 1000) / ((SPAN_MS - WARM_MS) / 1000)).toFixed(0)} µs/s`);
      }
    }
    rows.push(row);
  }
  console.log('\ncost of the control loop per second, a look at all each minute included:');
  print(rows);
}

await costOf(100, 100); // Its code is compiled now.
await matrix();
console.log('');
await day();
