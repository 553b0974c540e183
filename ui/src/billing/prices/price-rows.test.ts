import type { PublicPriceList } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { inForce, priceChanges, priceRows } from './price-rows.ts';
import { lineOf } from './yaml-line.ts';

const list = (change: Partial<PublicPriceList> = {}): PublicPriceList => {
  const unit = { price: '0.000024', per: 'vCPU-second' };
  return {
    id: 'x@2026-01-01T00:00:00Z',
    name: 'x',
    title: 'X',
    effectiveFrom: '2026-01-01T00:00:00Z',
    currency: 'USD',
    request: { cpu: unit, memory: unit, cpuIdle: unit, memoryIdle: unit, requests: unit },
    instance: { cpu: unit, memory: unit, minimumSeconds: 60 },
    egress: [{ upToGib: null, price: '0.12' }],
    freeTier: [],
    discounts: [{ name: 'Early', percent: '10' }],
    ...change,
  };
};

test('the difference of two versions names what changed, came and went', () => {
  const next = list({
    instance: { ...list().instance, minimumSeconds: 30 },
    discounts: [{ name: 'Volume', percent: '5' }],
  });
  expect(priceChanges(priceRows(list()), priceRows(list()))).toEqual([]);
  expect(priceChanges(priceRows(list()), priceRows(next))).toEqual([
    { group: 'Instance-based', name: 'Minimum time', before: '60 s', after: '30 s' },
    { group: 'Discounts', name: 'Volume', before: null, after: '5 %' },
    { group: 'Discounts', name: 'Early', before: '10 %', after: null },
  ]);
});

test('the version in force is the newest that has begun', () => {
  const versions = ['2025-01-01T00:00:00Z', '2026-01-01T00:00:00Z', '2027-01-01T00:00:00Z'].map((effectiveFrom) =>
    list({ effectiveFrom }),
  );
  expect(inForce(versions, Date.parse('2026-06-01T00:00:00Z'))?.effectiveFrom).toBe('2026-01-01T00:00:00Z');
  expect(inForce(versions, Date.parse('2024-06-01T00:00:00Z'))).toBeNull();
});

const YAML = `name: x
request:
  cpu: { price: "1", per: vcpu_second }
  memory:
    price: "2"
egress:
  - { upToGib: 1, price: "0" }
  - price: "3"
freeTier:
- mode: request
`;

test.each([
  ['/name', 1],
  ['/request/cpu/price', 3],
  ['/request/memory/price', 5],
  ['/egress/1/price', 8],
  ['/egress/0/upToGib', 7],
  ['/freeTier/0/mode', 10],
  ['/request/missing', 2],
  ['/currency', null],
  ['/', null],
])('%s stands on line %s', (pointer, line) => {
  expect(lineOf(YAML, pointer)).toBe(line);
});
