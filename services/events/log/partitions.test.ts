import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { expiredPartitions, partitionOf, partitionsAhead, partitionsFor, retentionStart } from './partitions.ts';

const at = (text: string) => Date.parse(text);

describe('partitionOf', () => {
  it.each([
    ['2026-02-28T00:00:00.000Z', 'log_20260228'],
    ['2026-02-28T23:59:59.999Z', 'log_20260228'],
    ['2026-03-01T00:00:00.000Z', 'log_20260301'],
    ['1970-01-01T00:00:00.000Z', 'log_19700101'],
  ])('%s is in %s', (time, name) => {
    expect(partitionOf(at(time)).name).toBe(name);
  });

  it('holds its time, and days neither overlap nor leave a gap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4_000_000_000_000 }), (time) => {
        const { from, to } = partitionOf(time);
        expect(from <= time && time < to).toBe(true);
        expect(partitionOf(to).from).toBe(to);
      }),
    );
  });
});

describe('partitionsFor', () => {
  it('names each day once', () => {
    const times = ['2026-01-01T01:00:00Z', '2026-01-03T01:00:00Z', '2026-01-01T02:00:00Z'].map(at);
    expect(partitionsFor(times).map(({ name }) => name)).toEqual(['log_20260101', 'log_20260103']);
  });
});

describe('partitionsAhead', () => {
  it('are today and the days after', () => {
    const names = partitionsAhead(at('2026-12-31T12:00:00Z')).map(({ name }) => name);
    expect(names).toEqual(['log_20261231', 'log_20270101', 'log_20270102']);
  });
});

describe('expiredPartitions', () => {
  const names = ['log_20260101', 'log_20260102', 'log_20260103', 'log_other', 'orders_20200101'];
  it.each([
    ['2026-01-01T00:00:00Z', []],
    ['2026-01-02T00:00:00Z', ['log_20260101']],
    ['2026-01-04T00:00:00Z', ['log_20260101', 'log_20260102', 'log_20260103']],
  ])('before %s are %j', (start, expected) => {
    expect(expiredPartitions(names, at(start))).toEqual(expected);
  });

  it('never hold an event that is to be kept', () => {
    const now = at('2026-03-05T13:00:00Z');
    const start = retentionStart(now, 30);
    expect(start).toBeLessThanOrEqual(now - 30 * 86_400_000);
    expect(expiredPartitions([partitionOf(start).name], start)).toEqual([]);
    expect(expiredPartitions([partitionOf(start - 1).name], start)).toHaveLength(1);
  });
});
