import { formatMoney, type Invoice } from '@skyrun/contracts';
import type { Bill } from '../calculate/calculate.ts';
import { showPercent } from '../prices/price-list.ts';

export interface Difference {
  /** Where, e.g. `lines[2].amount`. */
  readonly field: string;
  readonly invoice: string;
  readonly usage: string;
}

/** The first place where an invoice says something else than the bill that its usage makes, or null. */
export function firstDifference(invoice: Invoice, bill: Bill): Difference | null {
  const pairs: [field: string, invoice: string | undefined, usage: string | undefined][] = [];
  for (let index = 0; index < Math.max(invoice.lines.length, bill.lines.length); index += 1) {
    const said = invoice.lines[index];
    const due = bill.lines[index];
    const at = `lines[${index}]`;
    pairs.push(
      [`${at}.service`, said?.service, due?.service],
      [`${at}.meter`, said?.meter, due?.meter],
      [`${at}.description`, said?.description, due?.description],
      [`${at}.quantity`, said?.quantity, due?.quantity.toString()],
      [`${at}.unitPrice`, said?.unitPrice, due && formatMoney(due.unitPrice)],
      [`${at}.pricedUnit`, said?.pricedUnit, due?.pricedUnit],
      [`${at}.amount`, said?.amount, due && formatMoney(due.amount)],
      [`${at}.usageRows`, said?.usageRows.toString(), due?.usageRows.toString()],
    );
  }
  for (let index = 0; index < Math.max(invoice.credits.length, bill.credits.length); index += 1) {
    const said = invoice.credits[index];
    const due = bill.credits[index];
    pairs.push(
      [`credits[${index}].description`, said?.description, due?.description],
      [`credits[${index}].amount`, said?.amount, due && formatMoney(due.amount)],
    );
  }
  const taxes = invoice.taxes ?? [];
  for (let index = 0; index < Math.max(taxes.length, bill.taxes.length); index += 1) {
    const said = taxes[index];
    const due = bill.taxes[index];
    pairs.push(
      [`taxes[${index}].name`, said?.name, due?.name],
      [`taxes[${index}].percent`, said?.percent, due && showPercent(due.percent)],
      [`taxes[${index}].amount`, said?.amount, due && formatMoney(due.amount)],
    );
  }
  pairs.push(
    ['subtotal', invoice.subtotal, formatMoney(bill.subtotal)],
    ['total', invoice.total, formatMoney(bill.total)],
  );
  const different = pairs.find(([, said, due]) => said !== due);
  if (!different) return null;
  const [field, said, due] = different;
  return { field, invoice: said ?? '(nothing)', usage: due ?? '(nothing)' };
}
