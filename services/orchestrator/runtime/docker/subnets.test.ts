import { expect, test } from 'vitest';
import { formatSubnet, freeSubnet, parseSubnet } from './subnets.ts';

test.each(['10.210.0.0/16', '10.210.3.192/26', '0.0.0.0/0', '255.255.255.255/32'])(
  '%s reads and writes alike',
  (text) => {
    expect(formatSubnet(parseSubnet(text))).toBe(text);
  },
);

test('host bits are cut off', () => {
  expect(formatSubnet(parseSubnet('10.210.0.77/26'))).toBe('10.210.0.64/26');
});

test.each(['10.210.0.0', '10.210.0/16', '10.256.0.0/16', '10.0.0.0/33', 'fd00::/64'])('%s is refused', (text) => {
  expect(() => parseSubnet(text)).toThrow(RangeError);
});

const pool = parseSubnet('10.210.0.0/24');
const free = (...taken: string[]) => {
  const found = freeSubnet(pool, 26, taken.map(parseSubnet));
  return found && formatSubnet(found);
};

test.each([
  { taken: [], expected: '10.210.0.0/26' },
  { taken: ['10.210.0.0/26'], expected: '10.210.0.64/26' },
  { taken: ['10.210.0.0/26', '10.210.0.128/26'], expected: '10.210.0.64/26' },
  { taken: ['10.210.0.0/25'], expected: '10.210.0.128/26' },
  { taken: ['10.210.0.70/32'], expected: '10.210.0.0/26' },
  { taken: ['10.0.0.0/8'], expected: null },
  { taken: ['192.168.0.0/16'], expected: '10.210.0.0/26' },
])('with $taken taken the next is $expected', ({ taken, expected }) => {
  expect(free(...taken)).toBe(expected);
});
