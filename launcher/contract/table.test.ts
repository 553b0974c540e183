import { expect, test } from 'vitest';
import type { Clause } from './clause.ts';
import { gatewayOf } from './facts.ts';
import { table } from './table.ts';

const holding: Clause = {
  clause: 'PORT',
  source: 'knative: Process',
  expectation: '8080',
  seen: '8080',
  holds: true,
};

test('a table tells each clause, and what does not hold once more in full', () => {
  const seen = 'x'.repeat(200);
  const text = table([holding, { ...holding, clause: 'stdin', seen, holds: false }]);
  expect(text).toMatch(/^✓ +PORT +knative: Process +8080 +8080$/m);
  expect(text).toContain(`✗ stdin: expected 8080; saw ${seen}`);
  expect(text).toMatch(/1 of 2 clauses do not hold$/);
  expect(table([holding])).toMatch(/all 1 clauses hold$/);
});

test.each([
  ['Iface\tDestination\tGateway\neth0\t00000000\t0100D20A\t0003', '10.210.0.1'],
  ['Iface\tDestination\tGateway\neth0\t0000D20A\t00000000\t0001', null],
  [null, null],
])('the gateway in %s', (route, expected) => {
  expect(gatewayOf({ route })).toBe(expected);
});
