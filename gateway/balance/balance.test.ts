import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Candidate, leastInFlight } from './balance.ts';

function candidate(inFlight: number, options: { ready?: boolean; admits?: boolean; since?: number } = {}): Candidate {
  const { ready = true, admits = true, since = 0 } = options;
  return { inFlight, ready, since, admits: () => admits };
}
const pick = (candidates: Candidate[], cap = 0, offset = 0) =>
  leastInFlight(candidates, { cap, now: 0, offset, random: Math.random });

test.each([
  ['nobody', [], 0, 0, null],
  ['the fewest in flight', [candidate(3), candidate(1), candidate(2)], 0, 0, 1],
  ['not one that drains', [candidate(3), candidate(1, { ready: false })], 0, 0, 0],
  ['not one that fails', [candidate(3), candidate(1, { admits: false })], 0, 0, 0],
  ['nobody when all are full', [candidate(2), candidate(2)], 2, 0, null],
  ['the one with room', [candidate(2), candidate(1)], 2, 0, 1],
  ['the first from the offset on, of equal ones', [candidate(1), candidate(1), candidate(1)], 0, 2, 2],
])('takes %s', (_, candidates, cap, offset, index) => {
  expect(pick(candidates, cap, offset)).toBe(index === null ? null : candidates[index]);
});

test.each([2, 20])('not the one that was just tried, as long as there is another among %i', (count) => {
  const [tried, ...others] = Array.from({ length: count }, (_, index) => candidate(index === 0 ? 0 : 5));
  const options = { cap: 0, now: 0, offset: 0, random: () => 0, except: tried ?? null };
  expect(others).toContain(leastInFlight([...(tried ? [tried] : []), ...others], options));
  expect(leastInFlight(tried ? [tried] : [], options)).toBeNull();
});

test('never over the cap, never one that may not, and never nobody while there is room', () => {
  const any = fc.record({ inFlight: fc.nat(5), ready: fc.boolean(), admits: fc.boolean() });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 40 }), fc.nat(5), fc.nat(40), (list, cap, offset) => {
      const candidates = list.map(({ inFlight, ready, admits }) => candidate(inFlight, { ready, admits }));
      const fits = candidates.filter((one) => one.ready && one.admits(0) && (cap === 0 || one.inFlight < cap));
      const chosen = pick(candidates, cap, candidates.length === 0 ? 0 : offset % candidates.length);
      if (fits.length === 0) expect(chosen).toBeNull();
      else expect(fits).toContain(chosen);
    }),
  );
});

test('a new one is brought up to its share', () => {
  const old = { ...candidate(0, { since: -1_000_000 }), inFlight: 0 };
  const fresh = { ...candidate(0, { since: 1000 }), inFlight: 0 };
  const shareAt = (now: number) => {
    old.inFlight = 0;
    fresh.inFlight = 0;
    for (let request = 0; request < 110; request += 1) {
      const chosen = leastInFlight([old, fresh], { cap: 0, now, offset: 0, random: Math.random, slowStartMs: 10_000 });
      if (chosen !== null) chosen.inFlight += 1;
    }
    return fresh.inFlight / 110;
  };
  const since = 1000;
  expect(shareAt(since)).toBeCloseTo(0.1 / 1.1, 1);
  expect(shareAt(since + 5000)).toBeCloseTo(0.5 / 1.5, 1);
  expect(shareAt(since + 10_000)).toBeCloseTo(0.5, 1);
});
