import type { StartPhases } from '@skyrun/contracts';
import { newId, type PastSpan, systemClock } from '@skyrun/kit';
import { describe, expect, test } from 'vitest';
import { newRecord } from '../reconcile/records.ts';
import { desiredOf } from '../testing/desired.ts';
import { traceStart } from './trace-start.ts';

const REQUEST = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const OWN = '00-0af7651916cd43dd8448eb211c80319c-1111111111111111-01';
const NOW = 1_700_000_000_000;
const record = newRecord(desiredOf(), { instanceId: newId('instance', systemClock), node: 'test', now: NOW });

function spansOf(phases: StartPhases, traceparent: string | undefined, answer: string | undefined = OWN): PastSpan[] {
  const spans: PastSpan[] = [];
  const waiting = { since: NOW - 1000, traceparent };
  traceStart(record, phases, { waiting, readyAt: NOW }, (span) => {
    spans.push(span);
    return answer;
  });
  return spans;
}

describe('a start’s spans', () => {
  test('lie one after the other within the start, which belongs to the request that waited', () => {
    const spans = spansOf({ kind: 'created', queueMs: 5, createMs: 10, startMs: 200, probeMs: 30 }, REQUEST);
    expect(spans.map(({ name, parent, from, until }) => [name, parent, from - NOW, until - NOW])).toEqual([
      ['instance start', REQUEST, -245, 0],
      ['queue', OWN, -245, -240],
      ['create', OWN, -240, -230],
      ['start', OWN, -230, -30],
      ['probe', OWN, -30, 0],
    ]);
    expect(spans[0]?.attributes).toMatchObject({ 'skyrun.service': 'web', 'skyrun.start.kind': 'created' });
  });

  test('leave out what was not done', () => {
    const spans = spansOf({ kind: 'resumed', createMs: 0, startMs: 12, probeMs: 0 }, REQUEST);
    expect(spans.map(({ name }) => name)).toEqual(['instance start', 'resume']);
  });

  test('without a waiting request begin a trace of their own', () => {
    expect(spansOf({ createMs: 1, startMs: 2, probeMs: 3 }, undefined)[0]?.parent).toBeUndefined();
  });
});

test('where nobody traces, nothing but the attempt is made', () => {
  const spans: PastSpan[] = [];
  const traced = traceStart(
    record,
    { createMs: 1, startMs: 2, probeMs: 3 },
    { waiting: null, readyAt: NOW },
    (span) => {
      spans.push(span);
      return undefined;
    },
  );
  expect(spans).toHaveLength(1);
  expect(traced).toEqual({ traceparent: undefined, traceId: undefined });
});
