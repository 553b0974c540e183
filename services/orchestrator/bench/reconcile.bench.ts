import { systemClock as clock, silentLogger } from '@skyrun/kit';
import { createAutoscaler } from '../autoscale/autoscaler.ts';
import { plan } from '../reconcile/plan.ts';
import { createWorld } from '../reconcile/world.ts';
import { desiredOf } from '../testing/desired.ts';
import { instanceOf } from '../testing/world.ts';
import { createTrafficIntake } from '../traffic/intake.ts';

/**
 * What the control loop costs at rest: a plan (four a second) and a judgement (one a second) of services that have one
 * ready instance each, printed per service and as a share of one core. The peer is the loop over ten times fewer.
 */

const ROUNDS = 50;

function measure(services: number): { planUs: number; judgeUs: number } {
  const desired = Array.from({ length: services }, (_, index) =>
    desiredOf({ service: `s${index}`, template: { scaling: { minScale: 1 } } }),
  );
  const instances = desired.map((each) => instanceOf(each));
  const world = createWorld([], []);
  world.desired = new Map(desired.map((each) => [each.revision.id, each]));
  for (const { record, container } of instances) world.add(record, { container });
  const intake = createTrafficIntake({ windowMs: () => 60_000 });
  const ledger = { write: () => Promise.resolve() };
  const background = () => undefined;
  const adopted = new Set<string>();
  const autoscaler = createAutoscaler({ world, intake, ledger, clock, logger: silentLogger, adopted, background });
  const wanted = world.desired;
  const plans = () =>
    plan(
      wanted,
      world.snapshot(clock.now(), () => 0),
      world.wanted,
      clock.now(),
    ).length;
  autoscaler.evaluate();
  for (let round = 0; round < ROUNDS; round += 1) plans();
  const begun = clock.monotonic();
  for (let round = 0; round < ROUNDS; round += 1) {
    if (plans() !== 0) throw new Error('a world at rest was given steps');
  }
  const planned = clock.monotonic();
  for (let round = 0; round < ROUNDS; round += 1) autoscaler.evaluate();
  const judged = clock.monotonic();
  return { planUs: ((planned - begun) * 1000) / ROUNDS, judgeUs: ((judged - planned) * 1000) / ROUNDS };
}

const share = ({ planUs, judgeUs }: ReturnType<typeof measure>) => (4 * planUs + judgeUs) / 10_000;

measure(1000);
const few = measure(100);
const many = measure(1000);
console.log(
  `100 services    plan ${few.planUs.toFixed(0)} µs  judge ${few.judgeUs.toFixed(0)} µs  ${share(few).toFixed(3)} % of a core`,
);
console.log(
  `1,000 services  plan ${many.planUs.toFixed(0)} µs  judge ${many.judgeUs.toFixed(0)} µs  ${share(many).toFixed(3)} % of a core`,
);
console.log(`ratio           ${(share(many) / share(few)).toFixed(1)} × for 10 × the services`);
