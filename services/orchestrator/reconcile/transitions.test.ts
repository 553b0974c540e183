import { describe, expect, test } from 'vitest';
import { desiredOf } from '../testing/desired.ts';
import { instanceOf, NOW } from '../testing/world.ts';
import type { RevisionVerdict } from './records.ts';
import {
  endReason,
  failureMessage,
  toEnded,
  toFrozen,
  toPaused,
  toResumed,
  unproven,
  verdictAfterFailure,
} from './transitions.ts';

const web = desiredOf();
const starting = instanceOf(web, { state: 'starting' }).record;
const served = (ms: number) => instanceOf(web, { record: { readyAt: NOW - ms, endedAt: NOW } }).record;
const why = { reason: 'ExitedWith1', message: 'it exited' };

test('usage up to the freezing is told as of one that runs, up to the waking as of one that is frozen, and neither again', () => {
  const phases = { createMs: 0, startMs: 0, probeMs: 0 };
  const paused = toPaused(served(1000), NOW);
  const until = paused.usageUntil;
  expect(toResumed(paused, phases, NOW + 10)).toMatchObject({ state: 'ready', idleSince: null, usageUntil: until });
  const frozen = toFrozen(paused, NOW + 1000);
  expect(frozen).toMatchObject({ frozenAt: NOW + 1000, usageUntil: NOW + 1000 });
  const resumed = toResumed(frozen, phases, NOW + 5000);
  expect(resumed).toMatchObject({ state: 'ready', frozenAt: null, usageUntil: NOW + 5000 });
  expect(toFrozen({ ...paused, usageUntil: NOW + 2000 }, NOW + 1000).usageUntil).toBe(NOW + 2000);
});

describe('the verdict on a revision', () => {
  test('a revision that never answered is given up after three failures, waiting longer each time', () => {
    let verdict: RevisionVerdict = unproven('rev');
    const seen: [string, number][] = [];
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const now = NOW + attempt;
      verdict = verdictAfterFailure(verdict, { ...starting, createdAt: now }, why, now);
      seen.push([verdict.state, verdict.retryAt - now]);
    }
    expect(seen).toEqual([
      ['pending', 1000],
      ['pending', 2000],
      ['failed', 4000],
    ]);
  });

  test('instances that fail together count once', () => {
    const proven: RevisionVerdict = { ...unproven('rev'), state: 'ready' };
    const first = verdictAfterFailure(proven, served(10), why, NOW);
    expect(verdictAfterFailure(first, served(10), why, NOW + 5)).toEqual(first);
  });

  test('one deadline is enough: it was tried for all of it', () => {
    expect(verdictAfterFailure(unproven('rev'), starting, { ...why, reason: 'ProbeTimeout' }, NOW).state).toBe(
      'failed',
    );
  });

  test('a proven revision is never given up, and its waits are bounded', () => {
    const proven: RevisionVerdict = { ...unproven('rev'), state: 'ready', failures: 50 };
    const after = verdictAfterFailure(proven, served(10), why, NOW);
    expect(after).toMatchObject({ state: 'ready', failures: 51, retryAt: NOW + 300_000 });
  });

  test('an instance that served is replaced at once; one that served long forgives what was before', () => {
    const proven: RevisionVerdict = { ...unproven('rev'), state: 'ready' };
    expect(verdictAfterFailure(proven, served(10), why, NOW)).toMatchObject({ failures: 1, retryAt: 0 });
    expect(verdictAfterFailure({ ...proven, failures: 7 }, served(60_000), why, NOW)).toMatchObject({
      failures: 1,
      retryAt: 0,
    });
    expect(verdictAfterFailure({ ...proven, failures: 1 }, served(10), why, NOW)).toMatchObject({
      failures: 2,
      retryAt: NOW + 2000,
    });
  });
});

test.each([
  { container: null, expected: 'ContainerLost' },
  { container: { state: 'exited' as const, exitCode: 3, oomKilled: false }, expected: 'ExitedWith3' },
  { container: { state: 'exited' as const, exitCode: 137, oomKilled: true }, expected: 'OOMKilled' },
])('the reason is $expected', ({ container, expected }) => {
  expect(endReason(container && { identity: starting, ...container })).toBe(expected);
});

test('the message says what happened, where to look, and what the container said last', () => {
  const record = { ...starting, exitCode: 3 };
  expect(failureMessage(record, 'ExitedWith3', null, ['cannot open database'])).toBe(
    'The container exited with code 3 before it answered on port 8080. Its last log lines:\ncannot open database',
  );
  expect(failureMessage(record, 'ProbeTimeout', null, [])).toContain('port 8080, the port in its variable PORT');
});

test('an end is never before the beginning, whatever the engine’s clock says', () => {
  const end = { state: 'failed' as const, reason: 'x', exitCode: 1, finishedAt: starting.createdAt - 5000 };
  expect(toEnded(starting, end, NOW).endedAt).toBe(starting.createdAt);
});
