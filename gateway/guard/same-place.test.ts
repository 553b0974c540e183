import { expect, test } from 'vitest';
import { isBelow, networkOf } from './same-place.ts';

test.each([
  ['/login', true],
  ['/login?next=/', true],
  ['/login/more', true],
  ['/%6Cogin', true],
  ['//login', true],
  ['/./login', true],
  ['/a/../login', true],
  ['/a/%2e%2e/login', true],
  ['/%6Cogin%ff', true],
  ['/', false],
  ['/a/login', false],
  ['/a?next=/../login', false],
  ['/a?next=%2Flogin', false],
  ['*', false],
])('%s lies below /login: %s', (target, expected) => {
  expect(isBelow(target, '/login')).toBe(expected);
});

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8:1:2::9', '2001:db8:1:2'],
  ['2001:db8::9', '2001:db8:0:0'],
  ['2001::1:2:3:4:5', '2001:0:0:1'],
  ['::1', '0:0:0:0'],
  ['fe80::1%eth0', 'fe80:0:0:0'],
  ['unknown', 'unknown'],
])('%s counts as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
