import { expect, test } from 'vitest';
import { safeNext } from './safe-next.ts';

test.each([
  ['/projects/demo/deploy?image=img_1', '/projects/demo/deploy?image=img_1'],
  [undefined, '/'],
  ['https://evil.example', '/'],
  ['//evil.example', '/'],
  ['/\\\\evil.example', '/'],
  ['javascript:alert(1)', '/'],
])('after sign-in %s leads to %s', (next, target) => {
  expect(safeNext(next)).toBe(target);
});
