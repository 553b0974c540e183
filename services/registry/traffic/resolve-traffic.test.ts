import { type TrafficTarget, trafficTargets } from '@skyrun/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { revisionRow } from '../services/state.fixture.ts';
import type { RoutedTarget } from '../store/tables.ts';
import { type Resolving, resolveTraffic } from './resolve-traffic.ts';

const one = revisionRow(1, { state: 'ready' });
const two = revisionRow(2, { state: 'ready' });
const three = revisionRow(3);
const four = revisionRow(4, { state: 'failed', reason: 'ExitedWith1', message: 'It said no.' });
const named = new Map([one, two, three, four].map((row) => [row.name, row]));

const to = ({ id, name }: typeof one, percent: number, more: Partial<RoutedTarget> = {}): RoutedTarget => ({
  revisionId: id,
  revisionName: name,
  percent,
  latestRevision: false,
  ...more,
});
const rollout = (state: 'running' | 'rolled-back' | 'completed', percent: number) => ({
  state,
  percent,
  from_revision_id: one.id,
  from_revision: one.name,
  to_revision_id: two.id,
});

function resolve(targets: readonly Partial<TrafficTarget>[], parts: Partial<Resolving> = {}) {
  const { routed, warming, problem } = resolveTraffic({
    targets: targets.map((target) => ({ percent: 0, ...target })),
    named,
    latestReady: two,
    rollout: null,
    routed: [],
    ready: new Set(),
    ...parts,
  });
  const shown = routed.map(
    ({ revisionName, percent, tag, latestRevision }) =>
      `${percent}:${revisionName.slice(-1)}${latestRevision ? '*' : ''}${tag === undefined ? '' : `@${tag}`}`,
  );
  return { shown: shown.join(' '), warming, reason: problem?.reason ?? null, message: problem?.message };
}

describe('resolveTraffic', () => {
  it.each<[string, Partial<TrafficTarget>[], Partial<Resolving>, string, string | null]>([
    ['all to the latest', [{ percent: 100 }], {}, '100:2*', null],
    ['none before a first is ready', [{ percent: 100 }], { latestReady: null }, '', null],
    ['a pinned one', [{ revisionName: one.name, percent: 100 }], {}, '100:1', null],
    ['a split', [{ revisionName: one.name, percent: 90 }, { percent: 10 }], {}, '90:1 10:2*', null],
    ['a tag without a share', [{ percent: 100 }, { revisionName: one.name, tag: 'old' }], {}, '100:2* 0:1@old', null],
    [
      'the same twice',
      [
        { revisionName: one.name, percent: 60 },
        { revisionName: one.name, percent: 40 },
      ],
      {},
      '100:1',
      null,
    ],
    ['a rollout', [{ percent: 100 }], { rollout: rollout('running', 10) }, '90:1 10:2*', null],
    [
      'a rollout of a share',
      [{ percent: 50 }, { revisionName: one.name, percent: 50 }],
      { rollout: rollout('running', 10) },
      '95:1 5:2*',
      null,
    ],
    [
      'a tag in a rollout, which leads to the new one',
      [{ percent: 100, tag: 'next' }],
      { rollout: rollout('running', 10) },
      '90:1 10:2*@next',
      null,
    ],
    ['a rollout that was taken back', [{ percent: 100 }], { rollout: rollout('rolled-back', 0) }, '100:1', null],
    ['a rollout that is over', [{ percent: 100 }], { rollout: rollout('completed', 100) }, '100:2*', null],
    [
      'a rollout to an older one',
      [{ percent: 100 }],
      { rollout: rollout('running', 10), latestReady: revisionRow(5, { state: 'ready' }) },
      '100:5*',
      null,
    ],
    [
      'one that is not ready',
      [{ revisionName: three.name, percent: 100 }],
      { routed: [to(one, 100)] },
      '100:1',
      'RevisionNotReady',
    ],
    [
      'one that failed',
      [{ revisionName: four.name, percent: 100 }],
      { routed: [to(one, 100)] },
      '100:1',
      'RevisionFailed',
    ],
    [
      'one that is gone',
      [{ revisionName: 'hello-99999', percent: 100 }],
      { routed: [to(one, 100)] },
      '100:1',
      'RevisionMissing',
    ],
    [
      'a cold one while another serves',
      [{ percent: 100 }],
      { routed: [to(one, 100)], ready: new Set([one.id]) },
      '100:1',
      'WaitingForInstance',
    ],
    [
      'a cold one while only a tag’s runs, for nothing is served',
      [{ percent: 100 }],
      { routed: [to(one, 100), to(four, 0, { tag: 'look' })], ready: new Set([four.id]) },
      '100:2*',
      null,
    ],
    [
      'a warm one while another serves',
      [{ percent: 100 }],
      { routed: [to(one, 100)], ready: new Set([one.id, two.id]) },
      '100:2*',
      null,
    ],
    ['a cold one while all are cold', [{ percent: 100 }], { routed: [to(one, 100)] }, '100:2*', null],
    [
      'more of a cold one that has some',
      [{ percent: 100 }],
      { routed: [to(one, 50), to(two, 50)], ready: new Set([one.id]) },
      '100:2*',
      null,
    ],
  ])('sends traffic to %s', (_, targets, parts, shown, reason) => {
    const resolved = resolve(targets, parts);
    expect(resolved.shown).toBe(shown);
    expect(resolved.reason).toBe(reason);
    expect(resolved.warming.length > 0).toBe(reason === 'WaitingForInstance');
  });

  it('says why, with what the revision said last', () => {
    expect(resolve([{ revisionName: four.name, percent: 100 }]).message).toContain('ExitedWith1: It said no.');
  });

  it('loses and adds no share, whatever is asked', () => {
    const target = fc.record(
      { revisionName: fc.constantFrom(one.name, two.name), percent: fc.nat(100), tag: fc.constantFrom('a', 'b', 'c') },
      { requiredKeys: ['percent'] },
    );
    const running = fc.option(
      fc.nat(99).map((percent) => rollout('running', percent)),
      { nil: null },
    );
    fc.assert(
      fc.property(fc.array(target, { minLength: 1, maxLength: 6 }), running, (targets, moving) => {
        if (!trafficTargets.safeParse(targets).success) return;
        const { routed } = resolveTraffic({
          targets,
          named,
          latestReady: two,
          rollout: moving,
          routed: [],
          ready: new Set(),
        });
        expect(routed.reduce((sum, { percent }) => sum + percent, 0)).toBe(100);
      }),
    );
  });
});
