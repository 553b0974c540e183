import { systemClock as clock, silentLogger } from '@skyrun/kit';
import { createAutoscaler } from '../autoscale/autoscaler.ts';
import { createPlanner } from '../reconcile/planner.ts';
import { createWorld } from '../reconcile/world.ts';
import { desiredOf } from '../testing/desired.ts';
import { instanceOf } from '../testing/world.ts';
import { createTrafficIntake } from '../traffic/intake.ts';

/**
 * What the control loop costs at rest: a plan (four a second) and a judgement (one a second) of services that have one
 * ready instance each, printed per service and as a share of one core. The peer is the loop over ten times fewer.
 */

const ROUNDS = 50;

interface Cost {
  readonly planUs: number;
  readonly judgeUs: number;
  /** Of a look at every service. */
  readonly allUs: number;
}

function measure(services: number): Cost {
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
  const planner = createPlanner({ world, can: { pause: true, restart: true }, inFlight: () => 0 });
  const everybody = () => {
    for (const { revision } of desired) {
      planner.changed(revision.id);
      autoscaler.changed(revision.id);
    }
  };
  const time = (work: () => void) => {
    const begun = clock.monotonic();
    for (let round = 0; round < ROUNDS; round += 1) work();
    return ((clock.monotonic() - begun) * 1000) / ROUNDS;
  };
  const plans = () => {
    if (planner.plan(clock.now()).length !== 0) throw new Error('a world at rest was given steps');
  };
  const judges = () => {
    if (autoscaler.evaluate().length !== 0) throw new Error('a world at rest was judged anew');
  };
  autoscaler.evaluate();
  for (let round = 0; round < ROUNDS; round += 1) plans();
  const planUs = time(plans);
  const judgeUs = time(judges);
  const allUs = time(() => {
    everybody();
    plans();
    judges();
  });
  return { planUs, judgeUs, allUs };
}

/** Four plans and one judgement a second, and all of it each minute. */
const share = ({ planUs, judgeUs, allUs }: Cost) => (4 * planUs + judgeUs + allUs / 60) / 10_000;

measure(1000);
const few = measure(100);
const many = measure(1000);
const told = (name: string, cost: Cost) =>
  console.log(
    `${name.padEnd(16)}plan ${cost.planUs.toFixed(1)} µs  judge ${cost.judgeUs.toFixed(1)} µs  a look at all ${cost.allUs.toFixed(0)} µs  ${share(cost).toFixed(4)} % of a core`,
  );
told('100 services', few);
told('1,000 services', many);
console.log(`ratio           ${(share(many) / share(few)).toFixed(1)} × for 10 × the services`);
if (share(many) >= 1) process.exitCode = 1;
