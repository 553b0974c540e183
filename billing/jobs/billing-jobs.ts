import { monthStart } from '../aggregate/slot.ts';
import { checkBudgets } from '../budget/check-budgets.ts';
import { compareSources } from '../compare/compare-sources.ts';
import { SETTLED_MS } from '../compare/settled.ts';
import type { BillingContext } from '../context.ts';
import { creditNoteDocument } from '../document/credit-note-document.ts';
import { drawInvoice } from '../document/invoice-document.ts';
import { accrueOpenPeriods, checkLedgers } from '../ledger/check-ledger.ts';
import { closeDuePeriods } from '../period/close-period.ts';
import { accountsWithUnbilledUsage, projectsDue } from '../store/accounts.ts';
import { projectsWithBudgets } from '../store/budgets.ts';
import { undrawnCreditNotes, undrawnInvoices } from '../store/documents.ts';
import { projectsToCompare } from '../store/usage-sources.ts';
import type { Job } from './job.ts';

const MINUTE_MS = 60_000;

/** Ends and closes the periods that the calendar asks for. */
export function closingJob(context: () => BillingContext, graceMs: number): Job {
  return {
    name: 'close-periods',
    everyMs: MINUTE_MS,
    remembered: true,
    items() {
      const { db, clock } = context();
      const now = clock.now();
      return projectsDue(db.kysely<unknown>(), monthStart(now), now - graceMs);
    },
    run: (project) => closeDuePeriods(context(), project, graceMs),
  };
}

/** Looks at every budget: a forecast rises without usage, and a new month lifts caps. */
export function budgetJob(context: () => BillingContext): Job {
  return {
    name: 'check-budgets',
    everyMs: MINUTE_MS,
    remembered: false,
    items: () => projectsWithBudgets(context().db.kysely<unknown>()),
    run: (project) => checkBudgets(context(), project),
  };
}

export function accrualJob(context: () => BillingContext): Job {
  return {
    name: 'accrue-usage',
    everyMs: 5 * MINUTE_MS,
    remembered: false,
    items: () => accountsWithUnbilledUsage(context().db.kysely<unknown>()),
    run: (project) => accrueOpenPeriods(context(), project),
  };
}

const CREDIT_NOTE = 'credit-note';

/** Draws invoices and credit notes, so that nobody waits for one and each stays as it was first drawn. */
export function drawJob(context: () => BillingContext): Job {
  return {
    name: 'draw-documents',
    everyMs: 10_000,
    remembered: true,
    async items() {
      const db = context().db.kysely<unknown>();
      const [invoices, notes] = await Promise.all([undrawnInvoices(db, 200), undrawnCreditNotes(db, 200)]);
      return [
        ...invoices.map(({ project, invoiceId }) => `${project}/${invoiceId}`),
        ...notes.map(({ project, creditNoteId }) => `${project}/${creditNoteId}/${CREDIT_NOTE}`),
      ];
    },
    async run(item) {
      const [project = '', id = '', kind] = item.split('/');
      if (kind === CREDIT_NOTE) await creditNoteDocument(context(), project, id);
      else await drawInvoice(context(), project, id);
    },
  };
}

/** Compares what gateways and the runtime say of the same instances. */
export function compareJob(context: () => BillingContext): Job {
  return {
    name: 'compare-sources',
    everyMs: MINUTE_MS,
    remembered: false,
    items: () => projectsToCompare(context().db.kysely<unknown>(), context().clock.now() - SETTLED_MS),
    async run(project) {
      await compareSources(context(), project);
    },
  };
}

export function ledgerJob(context: () => BillingContext): Job {
  return {
    name: 'check-ledgers',
    everyMs: 5 * MINUTE_MS,
    remembered: true,
    items: () => Promise.resolve(['all']),
    async run() {
      await checkLedgers(context());
    },
  };
}
