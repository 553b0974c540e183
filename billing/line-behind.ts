import { Problem } from '@skyrun/contracts';
import { kindOf, type LineUsage, lineUsage } from './calculate/line-usage.ts';
import type { BillingContext } from './context.ts';
import type { Period } from './store/accounts.ts';
import type { StoredInvoice } from './store/invoices.ts';
import { usageSources } from './store/list-usage.ts';

/** The usage behind line `index` of an invoice. Throws `request.invalid` where there is no such line. */
export async function lineBehind(
  { db, prices }: BillingContext,
  stored: StoredInvoice | null,
  period: Period | null,
  chain: readonly Period[],
  index: number,
): Promise<LineUsage> {
  const lines = stored?.invoice.lines ?? [];
  const line = lines[index];
  if (!stored || !period || !line) {
    const message = stored ? `expected 0 to ${lines.length - 1}` : 'expected together with `invoiceId`';
    throw new Problem('request.invalid', { detail: `line: ${message}`, errors: [{ field: 'line', message }] });
  }
  const sources = await usageSources(db.kysely<unknown>(), stored.invoice.project, chain, {
    service: line.service,
    period,
    kind: kindOf(line),
    sent: line.meter === 'egress',
  });
  const behind = lineUsage(lines, index, sources, prices);
  if (!behind) throw new RangeError(`invoice ${stored.invoice.number} lost line ${index}`);
  return behind;
}
