import type { Invoice } from '@skyrun/contracts';
import { describe, expect, test } from 'vitest';
import { creditNotePdf } from './credit-note-pdf.ts';
import { invoiceCsv } from './invoice-csv.ts';
import { invoicePdf } from './invoice-pdf.ts';
import { groupThousands, pricedQuantity } from './priced-quantity.ts';

function sampleInvoice(services: number): Invoice {
  const lines = Array.from({ length: services }, (_, index) => ({
    service: `service-${index + 1}`,
    usageRows: 1200 + index,
  })).flatMap((each): Invoice['lines'] => [
    {
      ...each,
      meter: 'cpu',
      description: 'vCPU while serving requests',
      quantity: '4000000000000',
      unit: 'mvcpu_ms',
      unitPrice: '0.000024',
      pricedUnit: 'vCPU-second',
      amount: '96.00',
    },
    {
      ...each,
      meter: 'requests',
      description: 'Adjustment for late usage of 2025-12: Requests',
      quantity: '10000000',
      unit: 'requests',
      unitPrice: '0.40',
      pricedUnit: 'million requests',
      amount: '4.00',
    },
  ]);
  return {
    id: 'inv_01890000-0000-7000-8000-000000000001',
    number: 'DEMO-000001',
    project: 'demo',
    state: 'open',
    currency: 'USD',
    periodStart: '2026-01-01T00:00:00.000Z',
    periodEnd: '2026-01-15T12:30:00.000Z',
    priceList: 'cloud-run-tier-1@2024-01-01T00:00:00Z',
    lines,
    credits: [{ description: 'Free tier 2026-01: vCPU, "request-based"', amount: '-4.32' }],
    subtotal: `${services * 100}.00`,
    total: `${services * 100 - 5}.68`,
    createdAt: '2026-01-15T12:30:01.000Z',
  };
}

describe('quantities in priced units', () => {
  test.each([
    ['4000000000000', 'vCPU-second', '4,000,000'],
    ['1500', 'vCPU-second', '0.002'],
    ['-2500000', 'vCPU-second', '-2.5'],
    ['1024000', 'GiB-second', '1'],
    ['123456', 'million requests', '0.123'],
    ['1', 'GiB', '0'],
    ['-1', 'GiB', '0'],
  ])('%s as %s is %s', (quantity, pricedUnit, expected) => {
    expect(pricedQuantity({ quantity, pricedUnit }, 3)).toBe(expected);
  });

  test('thousands are grouped left of the point only', () => {
    expect(groupThousands('-1234567.8912')).toBe('-1,234,567.8912');
  });
});

test('CSV has a row per line and credit, quoted, and the sums', () => {
  const rows = invoiceCsv(sampleInvoice(2)).split('\r\n');
  expect(rows).toHaveLength(1 + 4 + 3 + 1);
  expect(rows[1]).toBe(
    'DEMO-000001,2026-01-01T00:00:00.000Z,2026-01-15T12:30:00.000Z,USD,line,service-1,cpu,vCPU while serving requests,4000000000000,mvcpu_ms,0.000024,vCPU-second,96.00,1200',
  );
  expect(rows[6]).toContain('"Free tier 2026-01: vCPU, ""request-based""",,,,,-4.32,');
  expect(rows.at(-2)).toContain(',total,,,,,,,,195.68,');
});

test.each([
  ['=HYPERLINK("http://x.test")', `"'=HYPERLINK(""http://x.test"")"`],
  ['-2+3+cmd|calc', `'-2+3+cmd|calc`],
  ['@SUM(A1)', `'@SUM(A1)`],
  ['Discount', 'Discount'],
])('a spreadsheet runs no formula of the description %s', (description, cell) => {
  const [row = ''] = invoiceCsv({ ...sampleInvoice(0), credits: [{ description, amount: '-4.32' }] })
    .split('\r\n')
    .filter((line) => line.includes(',credit,'));
  expect(row).toContain(`,credit,,,${cell},,,,,-4.32,`);
});

describe('letters', () => {
  const fontsOf = (pdf: Buffer) =>
    [...pdf.toString('latin1').matchAll(/\/BaseFont \/(?:[A-Z]{6}\+)?([\w-]+)/g)].map(([, name]) => name);

  test.each(['Steuer für März – 19 €', 'TVA façade'])('of %s are in the fonts that every reader has', async (name) => {
    const pdf = await invoicePdf({ ...sampleInvoice(1), taxes: [{ name, percent: '19', amount: '1.00' }] });
    expect(new Set(fontsOf(pdf))).toEqual(new Set(['Helvetica', 'Helvetica-Bold']));
  });

  test.each(['НДС', 'podatek w Łodzi', 'ΦΠΑ', '→'])('of %s are brought along', async (name) => {
    const pdf = await invoicePdf({ ...sampleInvoice(1), taxes: [{ name, percent: '19', amount: '1.00' }] });
    expect(fontsOf(pdf)).toContain('DejaVuSansCondensed');
    const note = await creditNotePdf(
      {
        id: 'crn_01890000-0000-7000-8000-000000000001',
        number: 'DEMO-CN-000001',
        project: 'demo',
        invoiceId: 'inv_01890000-0000-7000-8000-000000000001',
        invoiceNumber: 'DEMO-000001',
        reason: name,
        amount: '1.00',
        currency: 'USD',
        refundable: false,
        createdAt: '2026-01-15T12:30:01.000Z',
      },
      sampleInvoice(1),
    );
    expect(fontsOf(note)).toContain('DejaVuSansCondensed');
  });
});

test.each([
  [0, 1],
  [3, 1],
  // 6 services below the head of the first page, 8 on each further page.
  [40, 6],
])('the PDF of %i services has %i pages', async (services, pages) => {
  const pdf = await invoicePdf(sampleInvoice(services));
  expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
  expect(pdf.toString('latin1').match(/\/Type \/Page\b(?!s)/g)).toHaveLength(pages);
});
