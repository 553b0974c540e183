import { servicePolicy } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { guardOf } from '../guard/guard-book.ts';
import { route, target } from '../harness/gateway.ts';
import { guardDeps } from '../harness/guard-deps.ts';
import { RouteTable } from './route-table.ts';

const HOST = 'hello.demo.localhost';
const turns = { over: () => false, pause: async () => undefined };
const revision = (number: number, port: number) =>
  route([
    target([port], { revisionId: `rev_01890000-0000-7000-8000-00000000000${number}`, revisionName: `r${number}` }),
  ]);

function emptyTable() {
  const retired: string[] = [];
  const deps = guardDeps();
  const table = new RouteTable({
    roomBounds: { requests: 1, bytes: 1 },
    now: () => 0,
    guardOf: (each) => guardOf(each, deps),
    onBreaker: () => undefined,
    onChanged: () => undefined,
    onRetired: ({ name }) => retired.push(name),
  });
  return { table, retired };
}

test('of a host that a snapshot names twice the later route holds, and the earlier revision is let go', async () => {
  const { table, retired } = emptyTable();
  await table.replace([revision(1, 1001), revision(2, 1002)], turns);
  expect([...table.destinations()].map(({ name }) => name)).toEqual(['r2']);
  expect([table.pick(HOST, 0)?.name, table.instances, retired]).toEqual(['r2', 1, ['r1']]);
});

test('a guard, with what it remembers, is kept while service and policy are the same', () => {
  const { table } = emptyTable();
  const guarded = (requests: number) => ({
    ...revision(1, 1001),
    policy: servicePolicy.parse({ rateLimits: [{ requests }] }),
  });
  const guard = () => table.find(HOST)?.guard;
  table.upsert(guarded(1));
  const first = guard();
  expect(first).not.toBeNull();
  table.upsert({ ...guarded(1), targets: revision(1, 1002).targets });
  expect(guard()).toBe(first);
  table.upsert(guarded(2));
  const second = guard();
  expect(second).not.toBe(first);
  // A service of the same name and policy that was deleted and made anew.
  table.upsert({ ...guarded(2), serviceId: 'svc_01890000-0000-7000-8000-000000000002' });
  expect(guard()).not.toBe(second);
});

test('a host that was just looked up leads where the next change says', async () => {
  const { table } = emptyTable();
  const leadsTo = () => table.find(HOST)?.shares[0]?.destination.name;
  expect(leadsTo()).toBeUndefined();
  table.upsert(revision(1, 1));
  expect(leadsTo()).toBe('r1');
  table.upsert(revision(2, 2));
  expect(leadsTo()).toBe('r2');
  table.remove(HOST);
  expect(leadsTo()).toBeUndefined();
  await table.replace([revision(3, 3)], turns);
  expect(leadsTo()).toBe('r3');
  await table.replace([], turns);
  expect(leadsTo()).toBeUndefined();
});
