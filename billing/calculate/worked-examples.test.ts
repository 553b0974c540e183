import { formatMoney } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import type { InstanceTotal } from '../aggregate/measure.ts';
import { PRICE_LISTS, readPriceLists } from '../prices/load-price-lists.ts';
import { createPriceBook } from '../prices/price-book.ts';
import { calculate } from './calculate.ts';

const prices = createPriceBook((await readPriceLists(PRICE_LISTS)).map(({ list }) => list));
const JANUARY = Date.UTC(2026, 0, 1);

function total(list: string, fields: Partial<InstanceTotal>): InstanceTotal {
  return {
    slot: { ordinal: 1, late: false, month: JANUARY, priceList: prices.at(list, JANUARY).id, day: JANUARY },
    service: 'api',
    revisionName: 'api-00001',
    instanceId: 'ins_1',
    billingMode: 'request',
    cpuMilli: 1000,
    memoryMib: 512,
    busyMs: 0,
    idleMs: 0,
    aliveMs: 0,
    pausedMs: 0,
    requests: 0,
    bytesOut: 0,
    requestRows: 1,
    lifetimeRows: 0,
    usageUntil: JANUARY + 1000,
    ...fields,
  };
}

interface Example {
  readonly name: string;
  readonly list: string;
  readonly usage: readonly Partial<InstanceTotal>[];
  readonly freeTier: boolean;
  readonly lines: readonly string[];
  readonly credits: readonly string[];
  readonly subtotal: string;
  readonly total: string;
}

const MINUTE = 60_000;
const MONTH_SECONDS = 30 * 24 * 3600;

// Arithmetic of the price page, by hand: seconds × vCPU × price, seconds × GiB × price, millions × price.
const EXAMPLES: readonly Example[] = [
  {
    // 4,000,000 vCPU-s × 0.000024 = 96; 2,000,000 GiB-s × 0.0000025 = 5; 10 × 0.40 = 4. The page calls 104.20 gross,
    // the 2 M free requests (0.80) being off already; 98.98 is net of 180,000 × 0.000024 and 360,000 × 0.0000025 too.
    name: '10 M requests × 400 ms, 1 vCPU, 512 MiB, concurrency 1, tier 1',
    list: 'cloud-run-tier-1',
    usage: [{ busyMs: 10_000_000 * 400, requests: 10_000_000 }],
    freeTier: true,
    lines: ['cpu 96.00', 'memory 5.00', 'requests 4.00'],
    credits: ['-4.32', '-0.90', '-0.80'],
    subtotal: '105.00',
    total: '98.98',
  },
  {
    name: '500,000 requests × 3.6 s, tier 2, without free tier',
    list: 'cloud-run-tier-2',
    usage: [{ busyMs: 500_000 * 3600, requests: 500_000 }],
    freeTier: false,
    lines: ['cpu 60.48', 'memory 3.15', 'requests 0.20'],
    credits: [],
    subtotal: '63.83',
    total: '63.83',
  },
  {
    name: 'the free tier is worth tier 1 prices in tier 2',
    list: 'cloud-run-tier-2',
    usage: [{ busyMs: 500_000 * 3600, requests: 500_000 }],
    freeTier: true,
    lines: ['cpu 60.48', 'memory 3.15', 'requests 0.20'],
    credits: ['-4.32', '-0.90', '-0.20'],
    subtotal: '63.83',
    total: '58.41',
  },
  {
    name: 'usage inside the free tier costs nothing',
    list: 'cloud-run-tier-1',
    usage: [{ busyMs: 1000 * 1000, requests: 10_000 }],
    freeTier: true,
    // 1000 s: 0.024 + 0.00125 + 0.004 = 0.02925
    lines: ['cpu 0.03', 'memory 0.00', 'requests 0.00'],
    credits: ['-0.03', '0.00', '0.00'],
    subtotal: '0.03',
    total: '0.00',
  },
  {
    // One minimum instance for 30 days, busy for a tenth of it: 259,200 s busy and 2,332,800 s idle.
    name: 'a minimum instance costs the idle price while it is not busy',
    list: 'cloud-run-tier-1',
    usage: [
      { busyMs: (MONTH_SECONDS / 10) * 1000, idleMs: (MONTH_SECONDS / 10) * 9 * 1000, requests: 0, memoryMib: 1024 },
    ],
    freeTier: false,
    // 259,200 × 0.000024 = 6.2208; × 0.0000025 = 0.648; 2,332,800 × 0.0000025 = 5.832 twice. Σ = 18.5328
    lines: ['cpu 6.22', 'memory 0.65', 'cpu_idle 5.83', 'memory_idle 5.83'],
    credits: [],
    subtotal: '18.53',
    total: '18.53',
  },
  {
    // 2 vCPU, 2 GiB for 30 days: 5,184,000 vCPU-s × 0.000018 = 93.312; 5,184,000 GiB-s × 0.000002 = 10.368.
    name: 'instance-based: the whole life time, no price per request',
    list: 'cloud-run-tier-1',
    usage: [
      {
        billingMode: 'instance',
        cpuMilli: 2000,
        memoryMib: 2048,
        aliveMs: MONTH_SECONDS * 1000,
        lifetimeRows: 1,
        requests: 99,
      },
    ],
    freeTier: true,
    lines: ['cpu 93.31', 'memory 10.37'],
    // 240,000 × 0.000018 = 4.32; 450,000 × 0.000002 = 0.90
    credits: ['-4.32', '-0.90'],
    subtotal: '103.68',
    total: '98.46',
  },
  {
    // 1000 instances of 10 s each count a minute each: 60,000 vCPU-s × 0.0000216 = 1.296; 30,000 GiB-s × 0.0000024.
    name: 'instance-based: an instance costs at least a minute',
    list: 'cloud-run-tier-2',
    usage: Array.from({ length: 1000 }, (_, index) => ({
      billingMode: 'instance' as const,
      instanceId: `ins_${index}`,
      aliveMs: 10_000,
      lifetimeRows: 1,
    })),
    freeTier: false,
    lines: ['cpu 1.30', 'memory 0.07'],
    credits: [],
    subtotal: '1.37',
    total: '1.37',
  },
  {
    name: 'instance-based: the minimum is once per life, not per period',
    list: 'cloud-run-tier-1',
    usage: [
      { billingMode: 'instance', aliveMs: 30_000, lifetimeRows: 1, slot: slot(0) },
      { billingMode: 'instance', aliveMs: 10_000 * MINUTE - 30_000, lifetimeRows: 1, slot: slot(1) },
    ],
    freeTier: false,
    // (10,000 min − 1 min) × 60 s × 0.000018 = 10.79892; × 0.5 × 0.000002 = 0.59994
    lines: ['cpu 10.80', 'memory 0.60'],
    credits: [],
    subtotal: '11.40',
    total: '11.40',
  },
  {
    // 1 GiB free, 1023 GiB × 0.12 = 122.76, 976 GiB × 0.11 = 107.36.
    name: 'egress runs through the tiers, over all services',
    list: 'cloud-run-tier-1',
    usage: [
      { service: 'a', bytesOut: 1500 * 2 ** 30 },
      { service: 'b', bytesOut: 500 * 2 ** 30 },
    ],
    freeTier: true,
    lines: ['egress 0.00', 'egress 122.76', 'egress 52.36', 'egress 55.00'],
    credits: [],
    subtotal: '230.12',
    total: '230.12',
  },
  {
    // Frozen for 20 of 30 days at the idle price: 1,728,000 s × 0.0000025 = 4.32; × 0.5 GiB × 0.0000025 = 2.16.
    name: 'a paused instance costs the idle price',
    list: 'cloud-run-tier-1',
    usage: [{ pausedMs: 20 * 24 * 3600 * 1000, lifetimeRows: 1 }],
    freeTier: false,
    lines: ['cpu_paused 4.32', 'memory_paused 2.16'],
    credits: [],
    subtotal: '6.48',
    total: '6.48',
  },
  {
    // The same in tier 2, instance-based: the idle price of the tier, 0.0000035. 6.048 and 3.024, together 9.072.
    name: 'a paused instance costs the idle price, whatever the mode',
    list: 'cloud-run-tier-2',
    usage: [{ billingMode: 'instance', pausedMs: 20 * 24 * 3600 * 1000, lifetimeRows: 1 }],
    freeTier: false,
    lines: ['cpu_paused 6.05', 'memory_paused 3.02'],
    credits: [],
    subtotal: '9.07',
    total: '9.07',
  },
  {
    // 100,020 ms of life are 100,100: 100.1 vCPU-s × 0.000018 × 1000 instances = 1.8018; × 0.5 × 0.000002 × 1000 = 0.1001.
    name: 'instance-based: each life is rounded up to 100 ms',
    list: 'cloud-run-tier-1',
    usage: Array.from({ length: 1000 }, (_, index) => ({
      billingMode: 'instance' as const,
      instanceId: `ins_${index}`,
      aliveMs: 100_020,
      lifetimeRows: 1,
    })),
    freeTier: false,
    lines: ['cpu 1.80', 'memory 0.10'],
    credits: [],
    subtotal: '1.90',
    total: '1.90',
  },
  {
    // 50 M × 0.2 s at 2 vCPU, 2 GiB, concurrency 80: 125,000 s busy. 250,000 × 0.000024 = 6; 250,000 × 0.0000025 = 0.625;
    // 50 × 0.40 = 20. Free: 4.32, all of 0.625, 0.80.
    name: '50 M requests × 200 ms, 2 vCPU, 2 GiB, concurrency 80, tier 1',
    list: 'cloud-run-tier-1',
    usage: [{ busyMs: 125_000_000, cpuMilli: 2000, memoryMib: 2048, requests: 50_000_000 }],
    freeTier: true,
    lines: ['cpu 6.00', 'memory 0.62', 'requests 20.00'],
    credits: ['-4.32', '-0.62', '-0.80'],
    subtotal: '26.62',
    total: '20.88',
  },
  {
    // Exactly the free quantities: 180,000 vCPU-s and 360,000 GiB-s are 2 GiB per vCPU; 2 M requests.
    name: 'exactly the free tier costs nothing, and one millisecond more next to nothing',
    list: 'cloud-run-tier-1',
    usage: [{ busyMs: 180_000_001, memoryMib: 2048, requests: 2_000_000 }],
    freeTier: true,
    lines: ['cpu 4.32', 'memory 0.90', 'requests 0.80'],
    credits: ['-4.32', '-0.90', '-0.80'],
    subtotal: '6.02',
    total: '0.00',
  },
  {
    // 30 days of 1 vCPU, 512 MiB in tier 2: 2,592,000 × 0.0000216 = 55.9872; 1,296,000 × 0.0000024 = 3.1104.
    name: 'instance-based in tier 2, free tier at tier 1 prices',
    list: 'cloud-run-tier-2',
    usage: [{ billingMode: 'instance', aliveMs: MONTH_SECONDS * 1000, lifetimeRows: 1 }],
    freeTier: true,
    lines: ['cpu 55.99', 'memory 3.11'],
    credits: ['-4.32', '-0.90'],
    subtotal: '59.10',
    total: '53.88',
  },
];

function slot(ordinal: number) {
  return { ordinal, late: false, month: JANUARY, priceList: prices.at('cloud-run-tier-1', JANUARY).id, day: JANUARY };
}

test.each(EXAMPLES)('$name', (example) => {
  const bill = calculate({
    totals: example.usage.map((fields) => total(example.list, fields)),
    ordinal: 1,
    prices,
    freeTier: example.freeTier,
    minorUnitPlaces: 2,
  });
  expect(bill.lines.map((line) => `${line.meter} ${formatMoney(line.amount)}`)).toEqual(example.lines);
  expect(bill.credits.map((credit) => formatMoney(credit.amount))).toEqual(example.credits);
  expect(formatMoney(bill.subtotal)).toBe(example.subtotal);
  expect(formatMoney(bill.total)).toBe(example.total);
});

test('the price page’s gross: 10 M requests × 400 ms are $104.20 with the free requests off, $98.98 with all of the free tier', () => {
  const totals = [total('cloud-run-tier-1', { busyMs: 10_000_000 * 400, requests: 10_000_000 })];
  const bill = calculate({ totals, ordinal: 1, prices, freeTier: true, minorUnitPlaces: 2 });
  const requests = bill.credits.find(({ description }) => description.includes('requests, request-based'));
  expect(formatMoney(bill.subtotal + (requests?.amount ?? 0n))).toBe('104.20');
  expect(formatMoney(bill.total)).toBe('98.98');
});

test('a month that two periods share has one free tier', () => {
  const cpuSeconds = 100_000;
  const totals = [1, 2, 3].map((ordinal) =>
    total('cloud-run-tier-1', { slot: slot(ordinal), busyMs: cpuSeconds * 1000, memoryMib: 0 }),
  );
  const credits = [1, 2, 3].map((ordinal) =>
    calculate({ totals, ordinal, prices, freeTier: true, minorUnitPlaces: 2 }).credits.map((credit) =>
      formatMoney(credit.amount),
    ),
  );
  // 100,000 + 80,000 + 0 vCPU-s × 0.000024
  expect(credits).toEqual([['-2.40'], ['-1.92'], []]);
});
