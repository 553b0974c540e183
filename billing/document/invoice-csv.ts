import type { Invoice } from '@skyrun/contracts';

const COLUMNS = [
  'invoice',
  'period_start',
  'period_end',
  'currency',
  'kind',
  'service',
  'meter',
  'description',
  'quantity',
  'unit',
  'unit_price',
  'priced_unit',
  'amount',
  'usage_rows',
] as const;
type Cells = Partial<Record<(typeof COLUMNS)[number], string>>;

/** RFC 4180: a row per line, credit and tax, with subtotal and total. */
export function invoiceCsv(invoice: Invoice): string {
  const common: Cells = {
    invoice: invoice.number,
    period_start: invoice.periodStart,
    period_end: invoice.periodEnd,
    currency: invoice.currency,
  };
  const rows: Cells[] = [
    ...invoice.lines.map((line) => ({
      kind: 'line',
      service: line.service,
      meter: line.meter,
      description: line.description,
      quantity: line.quantity,
      unit: line.unit,
      unit_price: line.unitPrice,
      priced_unit: line.pricedUnit,
      amount: line.amount,
      usage_rows: String(line.usageRows),
    })),
    { kind: 'subtotal', amount: invoice.subtotal },
    ...invoice.credits.map(({ description, amount }) => ({ kind: 'credit', description, amount })),
    ...(invoice.taxes ?? []).map(({ name, percent, amount }) => ({
      kind: 'tax',
      description: `${name} (${percent} %)`,
      amount,
    })),
    { kind: 'total', amount: invoice.total },
  ];
  const records = rows.map((cells) => COLUMNS.map((column) => cell({ ...common, ...cells }[column] ?? '')));
  return [COLUMNS.join(','), ...records.map((record) => record.join(','))].map((line) => `${line}\r\n`).join('');
}

/** Quoted where needed; text that a spreadsheet would run as a formula gets a leading apostrophe, numbers stay. */
function cell(value: string): string {
  const isNumber = /^-?\d+(\.\d+)?$/.test(value);
  const safe = !isNumber && /^[=+@\t\r-]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
