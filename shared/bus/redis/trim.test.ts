import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compareIds, trimFloor } from './trim.ts';

describe('trimFloor', () => {
  it.each([
    ['no groups', [], null],
    ['all acknowledged', [{ lastDelivered: '5-0', lowestPending: null }], '5-0'],
    ['one pending', [{ lastDelivered: '9-0', lowestPending: '4-1' }], '4-1'],
    [
      'the slowest group counts',
      [
        { lastDelivered: '9-0', lowestPending: null },
        { lastDelivered: '10-0', lowestPending: '7-2' },
        { lastDelivered: '7-1', lowestPending: null },
      ],
      '7-1',
    ],
    ['a new group that read nothing', [{ lastDelivered: '0-0', lowestPending: null }], '0-0'],
  ])('%s', (_, groups, expected) => {
    expect(trimFloor(groups)).toBe(expected);
  });

  it('never passes what any group still needs', () => {
    const id = fc.tuple(fc.nat(), fc.nat()).map(([time, count]) => `${time}-${count}`);
    const group = fc.record({ lastDelivered: id, lowestPending: fc.option(id, { nil: null }) });
    fc.assert(
      fc.property(fc.array(group, { minLength: 1 }), (groups) => {
        const floor = trimFloor(groups) ?? '';
        return groups.every(
          ({ lastDelivered, lowestPending }) => compareIds(floor, lowestPending ?? lastDelivered) <= 0,
        );
      }),
    );
  });
});

describe('compareIds', () => {
  it.each([
    ['9-0', '10-0', -1],
    ['10-2', '10-10', -1],
    ['10-2', '10-2', 0],
    ['1700000000000-1', '1699999999999-9', 1],
  ])('%s ? %s = %i', (a, b, expected) => {
    expect(compareIds(a, b)).toBe(expected);
  });
});
