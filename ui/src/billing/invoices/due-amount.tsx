import type { Invoice } from '@skyrun/contracts';
import { moneyText } from '../../format/money.ts';

/** What is still to be paid, in a dialog about it. */
export function DueAmount({ invoice }: { invoice: Invoice }) {
  return (
    <p className="flex items-baseline justify-between rounded-xl bg-sunken px-4 py-3">
      <span className="text-ink-2">Due</span>
      <span className="figures text-lg font-semibold">{moneyText(invoice.due ?? invoice.total, invoice.currency)}</span>
    </p>
  );
}
