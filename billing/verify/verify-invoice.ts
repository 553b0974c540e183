import { type InvoiceVerification, Problem } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { measureSorted } from '../aggregate/measure-sorted.ts';
import { calculate } from '../calculate/calculate.ts';
import type { BillingContext } from '../context.ts';
import { listAt } from '../prices/account-list.ts';
import { findAccount, loadPeriods } from '../store/accounts.ts';
import { findInvoice } from '../store/invoices.ts';
import { sortedUsage } from '../store/usage-cursor.ts';
import { firstDifference } from './first-difference.ts';

/**
 * Computes an invoice again from the raw usage rows, without the running totals that it was made from, and names the
 * first difference. Reads every row up to the invoice's period, as the free tier and overlaps reach back.
 */
export function verifyInvoice(
  context: BillingContext,
  project: string,
  invoiceId: string,
): Promise<InvoiceVerification> {
  const { db, prices, clock } = context;
  return db.transaction(
    async (tx) => {
      const connection = tx.kysely<unknown>();
      await prices.refresh(connection);
      const stored = await findInvoice(connection, project, invoiceId);
      const account = await findAccount(connection, project);
      const chain = (await loadPeriods(connection, [project])).get(project) ?? [];
      const period = chain.find((one) => one.ordinal === stored?.ordinal);
      if (!stored || !account || !period) {
        throw new Problem('resource.not_found', { detail: `project ${project} has no invoice ${invoiceId}` });
      }
      const totals = await measureSorted(sortedUsage(connection, project, period), chain);
      const bill = calculate({
        totals,
        ordinal: period.ordinal,
        prices,
        freeTier: account.freeTier,
        minorUnitPlaces: listAt(prices, account, period.startsAt).minorUnitPlaces,
      });
      const difference = firstDifference(stored.invoice, bill);
      const own = totals.filter((total) => total.slot.ordinal === period.ordinal);
      return {
        invoiceId,
        number: stored.invoice.number,
        exact: difference === null,
        difference,
        usageRows: own.reduce((sum, total) => sum + total.requestRows + total.lifetimeRows, 0),
        verifiedAt: isoTime(clock.now()),
      };
    },
    { isolation: 'repeatable read' },
  );
}
