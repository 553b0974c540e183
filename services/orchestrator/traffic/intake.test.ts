import { LATENCY_BOUNDS_MS, type TrafficReport } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { expect, test } from 'vitest';
import { createTrafficIntake } from './intake.ts';
import type { RevisionReport } from './tally.ts';

const NOW = 1_700_000_000_000;

function revision(fields: Partial<RevisionReport> = {}): RevisionReport {
  return {
    revisionId: 'rev_a',
    concurrency: 2,
    current: 2,
    queued: 0,
    requests: 5,
    statusClasses: { '1xx': 0, '2xx': 5, '3xx': 0, '4xx': 0, '5xx': 0 },
    latencyBuckets: new Array<number>(LATENCY_BOUNDS_MS.length + 1).fill(0),
    ...fields,
  };
}

function report(fields: Partial<TrafficReport> = {}): TrafficReport {
  return { gateway: 'g1', sequence: 1, at: isoTime(NOW), windowMs: 1000, revisions: [revision()], ...fields };
}

test('a repeated or late report changes nothing', () => {
  const intake = createTrafficIntake({ windowMs: () => 60_000 });
  expect(intake.accept(report({ sequence: 2 }), NOW)).toBe(true);
  expect(intake.accept(report({ sequence: 2 }), NOW)).toBe(false);
  expect(intake.accept(report({ sequence: 1 }), NOW)).toBe(false);
  expect(intake.drain().get('rev_a')?.requests).toBe(5);
});

test('a report that another has overtaken is counted once, and says nothing about now', () => {
  const intake = createTrafficIntake({ windowMs: () => 60_000 });
  intake.accept(report({ sequence: 1 }), NOW);
  intake.accept(report({ sequence: 3, revisions: [revision({ current: 7 })] }), NOW);
  for (let time = 0; time < 2; time += 1) expect(intake.accept(report({ sequence: 2 }), NOW)).toBe(false);
  expect(intake.drain().get('rev_a')?.requests).toBe(15);
  expect(intake.current('rev_a', NOW)).toBe(7);
});

test('a request that waits is heard of although a later report has overtaken the news of it', () => {
  const intake = createTrafficIntake({ windowMs: () => 60_000 });
  const waits = (revisionId: string) => [revision({ revisionId, current: 1, queued: 1, requests: 0, concurrency: 0 })];
  intake.accept(report({ sequence: 1 }), NOW);
  intake.accept(report({ sequence: 4, windowMs: 0, revisions: waits('rev_c') }), NOW);
  expect(intake.accept(report({ sequence: 3, windowMs: 0, revisions: waits('rev_b') }), NOW)).toBe(true);
  expect(intake.accept(report({ sequence: 3, windowMs: 0, revisions: waits('rev_b') }), NOW)).toBe(false);
  expect(intake.accept(report({ sequence: 2, windowMs: 0, revisions: waits('rev_c') }), NOW)).toBe(false);
  expect([intake.current('rev_b', NOW), intake.current('rev_c', NOW)]).toEqual([1, 1]);
  // As long as any other, after the gateway has fallen silent, too.
  expect([intake.lastActiveAt('rev_b'), intake.waiting('rev_b', NOW)?.since]).toEqual([NOW, NOW]);
});

test('a gateway that starts anew is heard', () => {
  const intake = createTrafficIntake({ windowMs: () => 60_000 });
  intake.accept(report({ sequence: 900 }), NOW);
  expect(intake.accept(report({ sequence: 1, at: isoTime(NOW + 5000) }), NOW + 5000)).toBe(true);
});

test('gateways add up, and one that falls silent is forgotten', () => {
  const intake = createTrafficIntake({ windowMs: () => 60_000 });
  intake.accept(report(), NOW);
  intake.accept(report({ gateway: 'g2', revisions: [revision({ current: 3, concurrency: 3 })] }), NOW);
  expect(intake.current('rev_a', NOW)).toBe(5);
  expect(intake.average('rev_a', NOW, 6000)).toBeCloseTo(5);
  expect(intake.current('rev_a', NOW + 5000)).toBe(0);
});

test('an activation keeps what the window before it said of others', () => {
  const intake = createTrafficIntake({ windowMs: () => 60_000 });
  intake.accept(report(), NOW);
  const waiting = revision({ revisionId: 'rev_b', current: 1, queued: 1, requests: 0, concurrency: 0 });
  intake.accept(report({ sequence: 2, windowMs: 0, revisions: [waiting] }), NOW + 10);
  expect(intake.current('rev_a', NOW + 10)).toBe(2);
  expect(intake.current('rev_b', NOW + 10)).toBe(1);
  expect(intake.lastActiveAt('rev_b')).toBe(NOW + 10);
});

test('in flight per instance is known only where a gateway counts it', () => {
  const intake = createTrafficIntake({ windowMs: () => 60_000 });
  intake.accept(report(), NOW);
  expect(intake.inFlight('ins_1', 'rev_a', NOW)).toBeNull();
  intake.accept(report({ sequence: 2, revisions: [revision({ instances: [{ id: 'ins_1', current: 2 }] })] }), NOW);
  expect(intake.inFlight('ins_1', 'rev_a', NOW)).toBe(2);
  intake.accept(report({ sequence: 3, revisions: [] }), NOW);
  expect(intake.inFlight('ins_1', 'rev_a', NOW)).toBe(0);
});

test('a drain hands out each request once', () => {
  const intake = createTrafficIntake({ windowMs: () => 60_000 });
  intake.accept(report(), NOW);
  expect(intake.drain().get('rev_a')).toMatchObject({ requests: 5, concurrencyMs: 2000 });
  expect(intake.drain().size).toBe(0);
});

test('gateways that have been silent for an hour are forgotten when another one comes, and no sooner', () => {
  const intake = createTrafficIntake({ windowMs: () => 60_000 });
  const HOUR_MS = 3_600_000;
  const from = (gateway: string, after: number) => report({ gateway, at: isoTime(NOW + after) });
  for (let number = 0; number < 50; number += 1) intake.accept(from(`g${number}`, 0), NOW);
  intake.accept(report({ gateway: 'g7', sequence: 2, at: isoTime(NOW + 1000) }), NOW + 1000);
  intake.accept(from('h1', HOUR_MS), NOW + HOUR_MS);
  expect(intake.gateways()).toBe(51);
  intake.accept(from('h2', HOUR_MS), NOW + HOUR_MS + 1);
  expect(intake.gateways()).toBe(3);
  // One that was only silent for a while goes on where it was: what it had told before is not counted again.
  expect(intake.accept(from('g7', 0), NOW + HOUR_MS + 1)).toBe(false);
});
