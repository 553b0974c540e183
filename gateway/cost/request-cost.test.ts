import { expect, test } from 'vitest';
import { type CostedRevision, costField, rateBook } from './request-cost.ts';

const price = (amount: string, per: string) => ({ price: amount, per });
const list = (name: string, cpu: string, currency = 'USD') => ({
  id: `${name}@2024-01-01T00:00:00Z`,
  name,
  title: name,
  effectiveFrom: '2024-01-01T00:00:00Z',
  currency,
  request: {
    cpu: price(cpu, 'vCPU-second'),
    memory: price('0.0000025', 'GiB-second'),
    cpuIdle: price('0', 'vCPU-second'),
    memoryIdle: price('0', 'GiB-second'),
    requests: price('0.40', 'million requests'),
  },
  instance: { cpu: price('0.000018', 'vCPU-second'), memory: price('0.000002', 'GiB-second'), minimumSeconds: 60 },
  egress: [],
  freeTier: [],
  discounts: [],
});
const rates = rateBook({
  defaultList: 'tier-1',
  accounts: [{ project: 'far', priceList: 'tier-2' }],
  lists: [list('tier-1', '0.000024'), list('tier-2', '0.0000336', 'EUR')],
});
const revision: CostedRevision = { project: 'demo', billingMode: 'request', cpuMilli: 1000, memoryMib: 512 };

test.each<[string, Partial<CostedRevision>, number, string]>([
  // 400 ms × (1 vCPU × 0.000024 + 0.5 GiB × 0.0000025) + 0.40 ÷ 1,000,000.
  ['the price page’s request', {}, 400, '0.0000105 USD; until=head; ms=400; per-100ms=0.000002525'],
  ['a begun tick is a whole one', {}, 300.2, '0.0000105 USD; until=head; ms=301; per-100ms=0.000002525'],
  ['no time at all is one tick', {}, 0, '0.000002925 USD; until=head; ms=0; per-100ms=0.000002525'],
  ['by the list of its account', { project: 'far' }, 100, '0.000003885 EUR; until=head; ms=100; per-100ms=0.000003485'],
  [
    'instance-based there is no price per request',
    { billingMode: 'instance' },
    100,
    '0.0000019 USD; until=head; ms=100; per-100ms=0.0000019',
  ],
])('%s', (_, fields, ms, value) => {
  const of = { ...revision, ...fields };
  expect(costField(of, rates(of.project), ms, 'head')).toBe(`Skyrun-Cost: ${value}\r\n`);
});

test('at the end it is final: what further time costs is not told', () => {
  const field = costField(revision, rates('demo'), 650.5, 'end');
  // 7 ticks of 0.000002525 and 0.40 ÷ 1,000,000.
  expect(field).toBe('Skyrun-Cost: 0.000018075 USD; until=end; ms=651\r\n');
});

test('ten million requests of the page’s example cost 96 + 5 + 4', () => {
  const amount = /Skyrun-Cost: ([\d.]+)/.exec(costField(revision, rates('demo'), 400, 'head'))?.[1];
  expect(Number(amount) * 10_000_000).toBeCloseTo(105, 6);
});

test('without prices nobody is told one', () => {
  expect(costField(revision, undefined, 100, 'head')).toBe('');
});
