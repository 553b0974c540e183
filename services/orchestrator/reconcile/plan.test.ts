import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { desiredOf } from '../testing/desired.ts';
import { type InstanceFields, instanceOf, NOW } from '../testing/world.ts';
import type { Observed, ObservedInstance } from './observed.ts';
import { isDrained, plan } from './plan.ts';
import type { DesiredRevision, RevisionVerdict } from './records.ts';
import type { Step } from './steps.ts';
import { unproven } from './transitions.ts';

const web = desiredOf();

function planFor(
  instances: readonly ObservedInstance[],
  options: { desired?: DesiredRevision | null; wanted?: number; verdict?: Partial<RevisionVerdict>; now?: number } = {},
): Step[] {
  const { desired = web, wanted = 1, verdict, now = NOW } = options;
  const id = web.revision.id;
  const observed: Observed = {
    instances,
    strays: [],
    verdicts: new Map(verdict ? [[id, { ...unproven(id), ...verdict }]] : []),
  };
  return plan(new Map(desired ? [[id, desired]] : []), observed, new Map([[id, wanted]]), now);
}

const kinds = (steps: readonly Step[]) => steps.map(({ kind }) => kind);

describe('a paused project', () => {
  test.each<{ name: string; fields: InstanceFields; expected: Step['kind'][] }>([
    { name: 'serves', fields: {}, expected: ['stop'] },
    { name: 'serves requests', fields: { inFlight: 3 }, expected: ['stop'] },
    { name: 'starts', fields: { state: 'starting' }, expected: ['stop'] },
    { name: 'exited', fields: { container: 'exited' }, expected: ['end'] },
  ])('ends an instance that $name, and starts none', ({ fields, expected }) => {
    const paused = { ...web, suspended: true };
    expect(kinds(planFor([instanceOf(web, fields)], { desired: paused, wanted: 3 }))).toEqual(expected);
    expect(planFor([], { desired: paused, wanted: 3 })).toEqual([]);
    expect(kinds(planFor([], { desired: web, wanted: 3 }))).toEqual(['create', 'create', 'create']);
  });
});

describe('one instance', () => {
  test.each<{ name: string; fields: InstanceFields; expected: Step['kind'][] }>([
    { name: 'serves', fields: {}, expected: [] },
    { name: 'is not seen yet', fields: { container: 'unseen' }, expected: [] },
    { name: 'has a row and no container', fields: { state: 'starting', container: 'absent' }, expected: ['start'] },
    {
      name: 'has a container that does not run yet',
      fields: { state: 'starting', container: 'created' },
      expected: ['start'],
    },
    { name: 'runs and was not asked yet', fields: { state: 'starting' }, expected: ['probe'] },
    { name: 'is being asked', fields: { state: 'starting', probing: true }, expected: [] },
    { name: 'exited while starting', fields: { state: 'starting', container: 'exited' }, expected: ['end'] },
    { name: 'exited while serving', fields: { container: 'exited' }, expected: ['end'] },
    { name: 'lost its container', fields: { container: 'absent' }, expected: ['end'] },
    { name: 'is busy with a step', fields: { container: 'exited', busy: true }, expected: [] },
  ])('that $name', ({ fields, expected }) => {
    expect(kinds(planFor([instanceOf(web, fields)]))).toEqual(expected);
  });

  test.each<{ name: string; fields: InstanceFields; expected: Step['kind'][] }>([
    { name: 'serves', fields: {}, expected: ['drain'] },
    { name: 'starts', fields: { state: 'starting' }, expected: ['stop'] },
    { name: 'has a row and no container', fields: { state: 'starting', container: 'absent' }, expected: ['end'] },
    { name: 'just began to drain', fields: { state: 'draining' }, expected: [] },
    { name: 'exited while draining', fields: { state: 'draining', container: 'exited' }, expected: ['end'] },
  ])('of a retired or unknown revision that $name', ({ fields, expected }) => {
    const instance = instanceOf(web, fields);
    expect(kinds(planFor([instance], { desired: { ...web, want: 'retired' } }))).toEqual(expected);
    expect(kinds(planFor([instance], { desired: null }))).toEqual(expected);
  });
});

describe('how many', () => {
  const ready = () => instanceOf(web);
  test.each([
    { name: 'none for a want of none', count: 0, wanted: 0, expected: [] },
    { name: 'as many as are missing', count: 1, wanted: 4, expected: ['create', 'create', 'create'] },
    { name: 'as many go as are too many', count: 3, wanted: 1, expected: ['drain', 'drain'] },
    {
      name: 'a retired revision gets none',
      count: 0,
      wanted: 2,
      desired: { ...web, want: 'retired' as const },
      expected: [],
    },
    {
      name: 'nothing while failures cool down',
      count: 0,
      wanted: 2,
      verdict: { failures: 1, retryAt: NOW + 1 },
      expected: [],
    },
    { name: 'one after failures', count: 0, wanted: 4, verdict: { failures: 2, retryAt: NOW }, expected: ['create'] },
    {
      name: 'none for a newest revision that was given up',
      count: 0,
      wanted: 1,
      desired: { ...web, want: 'starting' as const },
      verdict: { state: 'failed' as const },
      expected: [],
    },
    {
      name: 'another try for a given-up revision that traffic reaches',
      count: 0,
      wanted: 1,
      verdict: { state: 'failed' as const, failures: 3, retryAt: NOW },
      expected: ['create'],
    },
  ])('$name', ({ count, expected, name: _, ...options }) => {
    expect(kinds(planFor(Array.from({ length: count }, ready), options))).toEqual(expected);
  });

  test('an ended instance is not replaced before its end is written down', () => {
    expect(kinds(planFor([instanceOf(web, { container: 'exited' })], { wanted: 1 }))).toEqual(['end']);
  });

  test('while one tells whether a failing revision is well again, no other is tried', () => {
    const trying = instanceOf(web, { state: 'starting', probing: true });
    expect(planFor([trying], { wanted: 3, verdict: { failures: 1, retryAt: NOW } })).toEqual([]);
  });

  test('those that serve least go first', () => {
    const busy = instanceOf(web, { inFlight: 5 });
    const idle = instanceOf(web, { inFlight: 0 });
    const young = instanceOf(web, { inFlight: 0, record: { createdAt: NOW - 10 } });
    const starting = instanceOf(web, { state: 'starting', probing: true });
    const steps = planFor([busy, idle, young, starting], { wanted: 2 });
    expect(steps).toEqual([
      { kind: 'stop', instanceId: starting.record.instanceId, reason: 'ScaledDown' },
      { kind: 'drain', instanceId: young.record.instanceId, reason: 'ScaledDown' },
    ]);
  });
});

describe('a container without a row', () => {
  const stray = (fields: Partial<Observed['strays'][number]> = {}) =>
    plan(
      new Map([[web.revision.id, web]]),
      {
        instances: [],
        strays: [{ instanceId: 'ins_stray', revisionId: web.revision.id, running: true, ...fields }],
        verdicts: new Map(),
      },
      new Map(),
      NOW,
    );
  test('is adopted when its revision is wanted', () => {
    expect(stray()).toEqual([{ kind: 'adopt', instanceId: 'ins_stray' }]);
  });
  test('is removed when it does not run, or nothing wants it', () => {
    expect(stray({ running: false })).toEqual([{ kind: 'discard', instanceId: 'ins_stray' }]);
    expect(stray({ revisionId: 'rev_gone' })).toEqual([{ kind: 'discard', instanceId: 'ins_stray' }]);
  });
});

describe('draining', () => {
  const { record } = instanceOf(web, { state: 'draining' });
  test.each([
    { name: 'gateways have not heard yet', afterMs: 999, inFlight: 0, expected: false },
    { name: 'idle', afterMs: 1000, inFlight: 0, expected: true },
    { name: 'requests go on', afterMs: 299_999, inFlight: 1, expected: false },
    { name: 'the longest request is over', afterMs: 300_000, inFlight: 1, expected: true },
    { name: 'gateways do not say', afterMs: 1999, inFlight: null, expected: false },
    { name: 'gateways do not say, after a while', afterMs: 2000, inFlight: null, expected: true },
  ])('$name', ({ afterMs, inFlight, expected }) => {
    expect(isDrained(record, web, inFlight, NOW + afterMs)).toBe(expected);
  });
});

const anyInstance = fc.record({
  state: fc.constantFrom('starting' as const, 'ready' as const, 'draining' as const),
  container: fc.constantFrom(
    'absent' as const,
    'unseen' as const,
    'created' as const,
    'running' as const,
    'exited' as const,
  ),
  busy: fc.boolean(),
  probing: fc.boolean(),
  inFlight: fc.option(fc.integer({ min: 0, max: 9 })),
});

describe('always', () => {
  test('at most one step for an instance, none for a busy one, never more than wanted are live', () => {
    fc.assert(
      fc.property(fc.array(anyInstance, { maxLength: 12 }), fc.integer({ min: 0, max: 8 }), (fields, wanted) => {
        const instances = fields.map((some) => instanceOf(web, some));
        const steps = planFor(instances, { wanted });
        const named = steps.flatMap((step) => ('instanceId' in step ? [step.instanceId] : []));
        expect(new Set(named).size).toBe(named.length);
        for (const { busy, record } of instances) if (busy) expect(named).not.toContain(record.instanceId);
        const live = instances.filter(({ record }) => record.state !== 'draining').length;
        const created = steps.filter(({ kind }) => kind === 'create').length;
        expect(created).toBe(Math.max(0, wanted - live));
      }),
    );
  });

  test('a converged world needs nothing', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 }), (count) => {
        const instances = Array.from({ length: count }, () => instanceOf(web));
        expect(planFor(instances, { wanted: count })).toEqual([]);
      }),
    );
  });
});

describe('a container without a row', () => {
  const strayOf = (revisionId: string, running = true) => ({ instanceId: 'ins_stray', revisionId, running });
  test.each<{ name: string; stray: ReturnType<typeof strayOf>; wanted: number; expected: Step['kind'][] }>([
    { name: 'is adopted in place of a new one', stray: strayOf(web.revision.id), wanted: 1, expected: ['adopt'] },
    { name: 'is adopted beside a new one', stray: strayOf(web.revision.id), wanted: 2, expected: ['adopt', 'create'] },
    {
      name: 'goes when it does not run',
      stray: strayOf(web.revision.id, false),
      wanted: 1,
      expected: ['discard', 'create'],
    },
    { name: 'goes when nobody wants it', stray: strayOf('rev_gone'), wanted: 1, expected: ['discard', 'create'] },
  ])('$name', ({ stray, wanted, expected }) => {
    const id = web.revision.id;
    const observed: Observed = { instances: [], strays: [stray], verdicts: new Map() };
    expect(kinds(plan(new Map([[id, web]]), observed, new Map([[id, wanted]]), NOW))).toEqual(expected);
  });
});
