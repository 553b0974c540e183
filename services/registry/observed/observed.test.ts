import { expect, it } from 'vitest';
import { instanceIn, revisionRow } from '../services/state.fixture.ts';
import { isNews } from './instance-order.ts';
import { planSync, tellsMore } from './sync-observed.ts';

const revision = revisionRow(1);

it.each([
  ['starting', 'ready', true],
  ['ready', 'draining', true],
  ['starting', 'failed', true],
  ['ready', 'starting', false],
  ['draining', 'ready', false],
  ['ready', 'ready', false],
  ['stopped', 'ready', false],
  ['failed', 'stopped', false],
] as const)('known %s, told %s: news %s', (known, told, news) => {
  expect(isNews({ state: known }, { state: told })).toBe(news);
});

it.each([
  ['ready', 3, 'paused', 4, true],
  ['paused', 4, 'ready', 5, true],
  ['ready', 5, 'paused', 4, false],
  ['ready', 5, 'ready', 5, false],
  ['ready', 5, 'stopped', 6, true],
] as const)('known %s of version %i, told %s of version %i: news %s', (known, was, told, is, news) => {
  expect(isNews({ state: known, stateVersion: was }, { state: told, stateVersion: is })).toBe(news);
});

it('adds what is new, changes what differs, ends what is gone, and leaves the rest', () => {
  const [same, moved, gone, fresh] = [1, 2, 3, 4].map((number) => instanceIn(revision, number));
  if (!same || !moved || !gone || !fresh) throw new Error('too few');
  const known = [same, moved, gone].map((data, version) => ({ id: data.id, state: data.state, data, version }));
  const draining = { ...moved, state: 'draining' as const };
  const plan = planSync(known, [same, draining, fresh], Date.UTC(2026, 0, 2));
  expect(plan.added).toEqual([fresh]);
  expect(plan.changed).toEqual([
    { instance: draining, version: 1 },
    { instance: { ...gone, state: 'stopped', endedAt: '2026-01-02T00:00:00.000Z', reason: 'Gone' }, version: 2 },
  ]);
});

it.each([
  ['pending', 'ready', true],
  ['pending', 'failed', true],
  ['failed', 'ready', true],
  ['failed', 'pending', true],
  ['ready', 'failed', true],
  ['ready', 'pending', false],
  ['ready', 'ready', false],
] as const)('verdict %s, then %s: taken over %s', (state, told, taken) => {
  expect(tellsMore({ state, reason: null, message: null }, { state: told })).toBe(taken);
});

it('takes over another reason of the same verdict', () => {
  const known = { state: 'failed', reason: 'ProbeTimeout', message: 'a' } as const;
  expect(tellsMore(known, known)).toBe(false);
  expect(tellsMore(known, { ...known, reason: 'ExitedWith1' })).toBe(true);
});
