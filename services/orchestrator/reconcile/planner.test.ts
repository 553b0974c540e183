import { expect, test } from 'vitest';
import { desiredOf } from '../testing/desired.ts';
import { instanceOf, NOW } from '../testing/world.ts';
import { createPlanner } from './planner.ts';
import { createWorld } from './world.ts';

const can = { pause: true, restart: true };

function planned() {
  const asked: string[] = [];
  const world = createWorld([], []);
  const inFlight = (instanceId: string) => {
    asked.push(instanceId);
    return 0;
  };
  const planner = createPlanner({ world, can, inFlight });
  const services = Array.from({ length: 100 }, (_, index) => desiredOf({ service: `s${index}` }));
  for (const service of services) {
    const { record, container } = instanceOf(service);
    world.add(record, { container });
    world.wanted.set(record.revisionId, 1);
  }
  planner.desire(new Map(services.map((each) => [each.revision.id, each])));
  planner.plan(NOW);
  asked.length = 0;
  return { asked, world, planner, services };
}

test('what rests is not looked at, what changed is, alone', () => {
  const { asked, world, planner, services } = planned();
  expect(planner.plan(NOW + 250)).toEqual([]);
  expect(asked).toEqual([]);
  const [first] = services;
  if (!first) throw new Error('there are a hundred');
  world.wanted.set(first.revision.id, 2);
  planner.changed(first.revision.id);
  expect(planner.plan(NOW + 500)).toEqual([{ kind: 'create', revisionId: first.revision.id }]);
  expect(asked).toHaveLength(1);
});

test('news that nobody told of is found by the look at all', () => {
  const { world, planner, services } = planned();
  const id = services[7]?.revision.id ?? '';
  world.wanted.set(id, 2);
  expect(planner.plan(NOW + 1000)).toEqual([]);
  expect(planner.plan(NOW + 60_000)).toEqual([{ kind: 'create', revisionId: id }]);
});

test('of what should run only the differences are news', () => {
  const { planner, services } = planned();
  const [first, second, ...others] = services;
  if (!first || !second) throw new Error('there are a hundred');
  const next = [{ ...first }, ...others];
  const changed = planner.desire(new Map(next.map((each) => [each.revision.id, each])));
  expect(changed.toSorted()).toEqual([first.revision.id, second.revision.id].toSorted());
  // The second is desired no more: its instance is drained without a look at the others.
  expect(planner.plan(NOW + 250)).toMatchObject([{ kind: 'drain', reason: 'RevisionRetired' }]);
});
