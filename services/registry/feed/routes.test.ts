import { route } from '@skyrun/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ADDRESS, instanceIn, revisionRow, serviceState } from '../services/state.fixture.ts';
import { buildRoutes } from './build-routes.ts';
import { diffRoutes } from './diff-routes.ts';
import { createRouteLog } from './route-log.ts';

const one = revisionRow(1, { state: 'ready' });
const two = revisionRow(2);
const [plain] = buildRoutes([serviceState({ newest: one, ready: one })], ADDRESS);
if (plain === undefined) throw new Error('no route');
const named = (host: string, port = 1) => ({
  ...plain,
  host,
  targets: [{ ...plain.targets[0], containerConcurrency: port }],
});
const table = (...hosts: (readonly [string, number])[]) => hosts.map(([host, port]) => route.parse(named(host, port)));

describe('buildRoutes', () => {
  it.each([
    [
      'the ready revision has the traffic while a newer one starts',
      { newest: two, ready: one, instances: [instanceIn(one, 1), instanceIn(two, 2)] },
      'hello-00001',
      [1],
    ],
    [
      'the newest stands in before a first is ready',
      { newest: one, instances: [instanceIn(one, 1, { state: 'starting' })] },
      'hello-00001',
      [],
    ],
    [
      'starting ones and those without an address are left out',
      {
        newest: one,
        ready: one,
        instances: [
          instanceIn(one, 1, { state: 'starting' }),
          { ...instanceIn(one, 2), address: undefined },
          instanceIn(one, 3, { state: 'draining' }),
        ],
      },
      'hello-00001',
      [3],
    ],
    ['a service at zero keeps its route', { newest: one, ready: one, instances: [] }, 'hello-00001', []],
  ] as const)('%s', (_, parts, revisionName, ports) => {
    const instances = parts.instances.map((instance) => JSON.parse(JSON.stringify(instance)));
    const [built] = buildRoutes([serviceState({ ...parts, instances })], ADDRESS);
    expect(route.parse(built)).toEqual(built);
    expect(built).toMatchObject({ host: 'hello.demo.localhost', targets: [{ revisionName, percent: 100 }] });
    expect(built?.targets[0]?.instances.map(({ port }) => port - 30_000)).toEqual(ports);
  });
});

describe('diffRoutes', () => {
  const entry = fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 3 }));
  const tables = fc.array(entry).map((entries) => new Map(table(...entries).map((each) => [each.host, each])));
  it('gives what turns one table into the other, and nothing more', () => {
    fc.assert(
      fc.property(tables, tables, (before, after) => {
        const { upserts, removes } = diffRoutes(before, after);
        const patched = new Map(before);
        for (const host of removes) expect(patched.delete(host)).toBe(true);
        for (const each of upserts) {
          expect(patched.get(each.host)).not.toEqual(each);
          patched.set(each.host, each);
        }
        expect(patched).toEqual(after);
      }),
    );
  });
});

describe('the route log', () => {
  it('begins with a snapshot, and a change of nothing is no version', () => {
    const log = createRouteLog('epoch');
    expect(log.frameSince(null)).toEqual({ kind: 'snapshot', epoch: 'epoch', version: 0, routes: [] });
    expect(log.replace(table(['a', 1]))).toBe(true);
    expect(log.replace(table(['a', 1]))).toBe(false);
    expect(log.version()).toBe(1);
  });

  it('catches a reader up in one delta that holds only the newest state', () => {
    const log = createRouteLog('epoch');
    log.replace(table(['a', 1], ['b', 1]));
    log.replace(table(['a', 2], ['b', 1]));
    log.replace(table(['a', 3], ['c', 1]));
    log.replace(table(['a', 3]));
    expect(log.frameSince({ epoch: 'epoch', version: 1 })).toEqual({
      kind: 'delta',
      epoch: 'epoch',
      version: 4,
      upserts: table(['a', 3]),
      removes: ['c', 'b'],
    });
  });

  it.each([
    ['of another epoch', { epoch: 'other', version: 3 }],
    ['of the future', { epoch: 'epoch', version: 9 }],
    ['older than what is remembered', { epoch: 'epoch', version: 0 }],
  ])('gives a snapshot to a reader %s', (_, position) => {
    const log = createRouteLog('epoch', 2);
    for (const port of [1, 2, 3]) log.replace(table(['a', port]));
    expect(log.frameSince(position).kind).toBe('snapshot');
    expect(log.frameSince({ epoch: 'epoch', version: 2 }).kind).toBe('delta');
  });

  it('brings every reader to the same table, whenever it reads', () => {
    const steps = fc.array(
      fc.record({
        entries: fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.integer({ min: 1, max: 3 }))),
        reads: fc.boolean(),
      }),
    );
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 20 }), (changes, length) => {
        const log = createRouteLog('epoch', length);
        let position: { epoch: string; version: number } | null = null;
        const held = new Map();
        const read = () => {
          const frame = log.frameSince(position);
          if (frame.kind === 'snapshot') held.clear();
          for (const each of frame.kind === 'snapshot' ? frame.routes : frame.kind === 'delta' ? frame.upserts : [])
            held.set(each.host, each);
          for (const host of frame.kind === 'delta' ? frame.removes : []) held.delete(host);
          position = { epoch: frame.epoch, version: frame.version };
        };
        for (const { entries, reads } of changes) {
          log.replace(table(...entries));
          if (reads) read();
        }
        read();
        expect(held).toEqual(log.routes());
      }),
    );
  });
});
