import type { LedgerAccount, LedgerEntry } from '@skyrun/contracts';

/** What goes from the account `credit` to the account `debit`; the amount is in pico units and never negative. */
export interface Transfer {
  readonly kind: LedgerEntry['kind'];
  readonly debit: LedgerAccount;
  readonly credit: LedgerAccount;
  readonly amount: bigint;
}

/** Usage was measured: it is earned, and not billed yet. Net of taxes. */
export const accrued = (amount: bigint) => transfer('accrued', 'unbilled', 'revenue', amount);
/** The taxes of a closed period: owed to the state, not earned. */
export const taxed = (tax: bigint) => transfer('taxed', 'unbilled', 'tax', tax);
export const invoiced = (total: bigint) => transfer('invoiced', 'receivable', 'unbilled', total);
export const paid = (due: bigint) => transfer('paid', 'cash', 'receivable', due);
export const voided = (due: bigint) => transfer('voided', 'revenue', 'receivable', due);
/** @param refundable whether the invoice was paid, so that the money is owed back. */
export const credited = (amount: bigint, refundable: boolean) =>
  transfer('credited', 'revenue', refundable ? 'refundable' : 'receivable', amount);

/** Beside `credited` and `voided`, which take all from revenue: the part of it that is tax. */
export const untaxed = (tax: bigint) => transfer('untaxed', 'tax', 'revenue', tax);

/** A negative amount goes the other way. */
function transfer(kind: Transfer['kind'], debit: LedgerAccount, credit: LedgerAccount, amount: bigint): Transfer {
  return amount < 0n ? { kind, debit: credit, credit: debit, amount: 0n - amount } : { kind, debit, credit, amount };
}
