/**
 * Periods of a project follow each other without gap or overlap:
 *
 *   open ──end is fixed; the next one opens there──► collecting ──grace is over, or asked to──► closed, invoiced
 *
 * All of it happens under the lock of the project's account, which ingest holds too. So whoever closes sees a settled
 * set of usage, and of any number of closings at once one does the work and the others get its invoice.
 */
import { formatMoney, type Invoice, Problem } from '@skyrun/contracts';
import { isoTime, newId } from '@skyrun/kit';
import { appendEvents, type Transaction } from '@skyrun/postgres';
import { replace } from '../aggregate/accrue.ts';
import { monthStart, nextMonthStart } from '../aggregate/slot.ts';
import { type BillingContext, SOURCE } from '../context.ts';
import { invoiced, taxed } from '../ledger/transfers.ts';
import {
  type Account,
  endPeriod,
  loadPeriods,
  lockAccounts,
  openAccounts,
  type Period,
  sealPeriod,
  takeInvoiceNumber,
} from '../store/accounts.ts';
import { findInvoice, insertInvoice } from '../store/invoices.ts';
import { accrueTo, postTransfer } from '../store/ledger.ts';
import type { Sql } from '../store/sql.ts';
import { addTotals } from '../store/totals.ts';
import { lastSeq, overlappingUsage, windowsFrom } from '../store/usage.ts';
import { billPeriod } from './bill-period.ts';

/**
 * Closes a project's open period at `until` (Unix ms; now if null) and returns its invoice. Repeating it, or asking for a
 * time that is closed already, returns the invoice that covers it. Throws `billing.period_open` for a time to come.
 */
export async function closePeriod(context: BillingContext, project: string, until: number | null): Promise<Invoice> {
  const now = context.clock.now();
  if (until !== null && until > now) {
    throw new Problem('billing.period_open', {
      detail: `until: ${isoTime(until)} is still to come; ask for a time up to now`,
    });
  }
  const seen = (await loadPeriods(context.db.kysely<unknown>(), [project])).get(project)?.at(-1);
  return context.db.transaction(async (tx) => {
    const db = tx.kysely<unknown>();
    const account = await lockOrOpenAccount(db, context, project, now);
    const before = await chainOf(db, project);
    const covering = before.findLast((period) => period.state === 'closed' && coversClosing(period, seen, until));
    if (covering) return lastInvoiceUpTo(db, before, covering);

    for (const period of before.filter((one) => one.state === 'collecting')) {
      if (until !== null && period.endsAt !== null && until < period.endsAt) {
        throw new Problem('billing.period_open', {
          detail: `until: the period up to ${isoTime(period.endsAt)} is being closed already; leave it out`,
        });
      }
      await finalize(tx, context, account, period);
      if (period.endsAt === until) return lastInvoiceUpTo(db, await chainOf(db, project), period);
    }
    const open = lastOf(before);
    const at = until ?? Math.max(now, open.startsAt + 1);
    if (at <= open.startsAt) {
      throw new Problem('request.invalid', {
        detail: `until: the open period starts at ${isoTime(open.startsAt)}`,
        errors: [{ field: '/until', message: `expected a time after ${isoTime(open.startsAt)}` }],
      });
    }
    if (until === null && (await isEmpty(db, context, account, open)) && before.some((period) => period.invoiceId)) {
      return lastInvoiceUpTo(db, before, open);
    }
    const ended = await end(db, before, at);
    await finalize(tx, context, account, ended, { evenIfEmpty: true });
    const chain = await chainOf(db, project);
    return lastInvoiceUpTo(db, chain, ended);
  });
}

/** Whether a closed period is the one meant: the time lies in it, or it is the one that was open when the caller asked. */
function coversClosing(period: Period, seen: Period | undefined, until: number | null): boolean {
  if (until === null) return period.ordinal === seen?.ordinal;
  return period.startsAt < until && period.endsAt !== null && until <= period.endsAt;
}

/**
 * Does what the calendar asks of one project: ends an open period at the end of its month (UTC), and closes a collecting
 * one when its grace is over. Without usage there is no invoice. May be run by any number of replicas.
 */
export async function closeDuePeriods(context: BillingContext, project: string, graceMs: number): Promise<void> {
  await context.db.transaction(async (tx) => {
    const db = tx.kysely<unknown>();
    const account = (await lockAccounts(db, [project])).get(project);
    if (!account) return;
    const now = context.clock.now();
    let chain = await chainOf(db, project);
    for (;;) {
      const monthEnd = nextMonthStart(lastOf(chain).startsAt);
      if (monthEnd > now) break;
      await end(db, chain, monthEnd);
      chain = await chainOf(db, project);
    }
    for (const period of chain) {
      if (period.state === 'collecting' && period.endsAt !== null && period.endsAt + graceMs <= now) {
        await finalize(tx, context, account, period);
      }
    }
  });
}

/** open → collecting; usage that lies after the end moves to the period that opens there. */
async function end(db: Sql, chain: readonly Period[], at: number): Promise<Period> {
  const open = lastOf(chain);
  const { project } = open;
  await endPeriod(db, open, at);
  const after = await chainOf(db, project);
  const windows = await windowsFrom(db, project, at);
  for (const instance of Map.groupBy(windows, (window) => window.instanceId).values()) {
    const rows = await overlappingUsage(db, instance, Number.MAX_SAFE_INTEGER);
    await addTotals(db, [{ project, totals: replace(rows, chain, after) }]);
  }
  const ended = after.find((period) => period.ordinal === open.ordinal);
  if (!ended) throw new RangeError(`period ${open.ordinal} of ${project} is gone`);
  return ended;
}

/** collecting → closed, with its invoice and event. */
async function finalize(
  tx: Transaction,
  context: BillingContext,
  account: Account,
  period: Period,
  { evenIfEmpty = false } = {},
): Promise<void> {
  const db = tx.kysely<unknown>();
  const { project } = account;
  const { bill, list, priceLists, usageRows } = await billPeriod(db, account, period, context.prices);
  const closedSeq = await lastSeq(db);
  if (usageRows === 0 && bill.lines.length === 0 && !evenIfEmpty) {
    await accrueTo(db, period, 0n, context.clock.now());
    await sealPeriod(db, period, closedSeq, null);
    return;
  }
  if (period.endsAt === null) throw new RangeError(`period ${period.ordinal} of ${project} has no end`);
  const id = newId('invoice', context.clock);
  const number = `${project.toUpperCase()}-${String(await takeInvoiceNumber(db, project)).padStart(6, '0')}`;
  await insertInvoice(db, {
    id,
    project,
    ordinal: period.ordinal,
    number,
    currency: list.currency,
    periodStart: period.startsAt,
    periodEnd: period.endsAt,
    priceList: priceLists,
    bill,
    createdAt: context.clock.now(),
  });
  const tax = bill.taxes.reduce((sum, { amount }) => sum + amount, 0n);
  await accrueTo(db, period, bill.total - tax, context.clock.now());
  const entry = { project, ordinal: period.ordinal, document: id, at: context.clock.now() };
  if (tax !== 0n) await postTransfer(db, { ...taxed(tax), ...entry });
  await postTransfer(db, { ...invoiced(bill.total), ...entry });
  await sealPeriod(db, period, closedSeq, id);
  await appendEvents(
    tx,
    SOURCE,
    [
      {
        type: 'skyrun.invoice.closed.v1',
        subject: `projects/${project}`,
        project,
        data: {
          id,
          number,
          project,
          total: formatMoney(bill.total),
          currency: list.currency,
          periodStart: isoTime(period.startsAt),
          periodEnd: isoTime(period.endsAt),
        },
      },
    ],
    context.clock,
  );
  context.logger.info({ project, number, total: formatMoney(bill.total) }, 'period closed into an invoice');
}

async function isEmpty(db: Sql, { prices }: BillingContext, account: Account, period: Period): Promise<boolean> {
  const { usageRows, bill } = await billPeriod(db, account, period, prices);
  return usageRows === 0 && bill.lines.length === 0;
}

/** The invoice of a period, or of the nearest earlier one that has one. */
async function lastInvoiceUpTo(db: Sql, chain: readonly Period[], period: Period): Promise<Invoice> {
  const id = chain.findLast((one) => one.ordinal <= period.ordinal && one.invoiceId !== null)?.invoiceId;
  const stored = id ? await findInvoice(db, period.project, id) : undefined;
  if (!stored) {
    throw new Problem('resource.not_found', {
      detail: `project ${period.project} has no invoice up to then: its closed periods had no usage`,
    });
  }
  return stored.invoice;
}

async function lockOrOpenAccount(
  db: Sql,
  { newAccount }: BillingContext,
  project: string,
  now: number,
): Promise<Account> {
  await openAccounts(db, [{ project, ...newAccount, startsAt: monthStart(now) }], now);
  const account = (await lockAccounts(db, [project])).get(project);
  if (!account) throw new RangeError(`there is no account of project ${project}`);
  return account;
}

async function chainOf(db: Sql, project: string): Promise<Period[]> {
  return (await loadPeriods(db, [project])).get(project) ?? [];
}

function lastOf(chain: readonly Period[]): Period {
  const last = chain.at(-1);
  if (last?.state !== 'open') throw new RangeError('the last period of a chain must be open');
  return last;
}
