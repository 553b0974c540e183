import { Problem } from '@skyrun/contracts';
import { describe, expect, it } from 'vitest';
import { decodeCursor, decodeFeedCursor, encodeCursor, encodeFeedCursor } from './cursor.ts';
import { toFilter } from './filter.ts';

describe('toFilter', () => {
  it('reads every field', () => {
    const cursor = encodeCursor({ time: 5, position: '12345678901234567' });
    const query = {
      limit: 7,
      cursor,
      type: 'skyrun.image.*',
      subject: 'services/demo',
      since: '2026-01-01T00:00:00Z',
      until: '2026-01-02T00:00:00Z',
      text: 'x',
    };
    expect(toFilter(query, 'demo')).toEqual({
      project: 'demo',
      types: {
        has: expect.any(Function),
        catalogue: ['skyrun.image.imported.v1', 'skyrun.image.deleted.v1'],
        team: [],
      },
      subjectPrefix: 'services/demo',
      since: Date.UTC(2026, 0, 1),
      until: Date.UTC(2026, 0, 2),
      text: 'x',
      before: { time: 5, position: '12345678901234567' },
      limit: 7,
    });
  });

  it.each([
    ['type', { type: 'skyrun.nothing.v1' }],
    ['until', { since: '2026-01-01T00:00:00Z', until: '2026-01-01T00:00:00Z' }],
    ['subject', { subject: 'a\0' }],
    ['text', { text: '\0' }],
    ['cursor', { cursor: 'x' }],
  ])('names %s', (field, query) => {
    const run = () => toFilter({ limit: 1, ...query }, null);
    expect(run).toThrow(Problem);
    expect(run).toThrow(field);
  });
});

describe('cursors', () => {
  it.each([
    '',
    'x',
    Buffer.from('[1]').toString('base64url'),
    Buffer.from('["a","1"]').toString('base64url'),
    Buffer.from('[1,"1; drop table log"]').toString('base64url'),
    Buffer.from('[-1,"1"]').toString('base64url'),
    Buffer.from('[1,"99999999999999999999"]').toString('base64url'),
  ])('%j is none of the history', (cursor) => {
    expect(() => decodeCursor(cursor)).toThrow(Problem);
  });

  it.each(['0', '1', '4611686018427387904'])('of the feed come back: %s', (position) => {
    expect(decodeFeedCursor(encodeFeedCursor(BigInt(position)))?.toString()).toBe(position);
  });

  it.each(['evt_01', 'at_', 'at_-1', 'at_1x', '12'])('%j is none of the feed', (cursor) => {
    expect(decodeFeedCursor(cursor)).toBeNull();
  });
});
