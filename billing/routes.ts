import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Api, createApi, fileReply, isoTime } from '@skyrun/kit';
import { lengthOf, mergeSpans } from './aggregate/spans.ts';
import type { StoredUsageRow } from './aggregate/usage-row.ts';
import { getCostAnalysis } from './analyse/get-cost-analysis.ts';
import { createBudget, deleteBudget, listBudgets, replaceBudget } from './budget/manage-budgets.ts';
import { monthForecast } from './budget/month-forecast.ts';
import type { BillingContext } from './context.ts';
import { getCosts } from './cost/get-costs.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { creditNoteDocument } from './document/credit-note-document.ts';
import { invoiceCsv } from './document/invoice-csv.ts';
import { invoiceDocument } from './document/invoice-document.ts';
import type { JobRunner } from './jobs/job.ts';
import { getLedger } from './ledger/check-ledger.ts';
import { lineBehind } from './line-behind.ts';
import { closePeriod } from './period/close-period.ts';
import { createPriceListVersion, priceListYaml, validatePriceList } from './prices/manage-price-lists.ts';
import { showPriceList } from './prices/show-price-list.ts';
import { createCreditNote, settleInvoice } from './settle/settle-invoice.ts';
import { loadPeriods } from './store/accounts.ts';
import { listAlerts } from './store/budgets.ts';
import { listCreditNotes } from './store/credit-notes.ts';
import { findInvoice, listInvoices, type StoredInvoice } from './store/invoices.ts';
import { listTransfers } from './store/ledger.ts';
import { listUsage } from './store/list-usage.ts';
import { verifyInvoice } from './verify/verify-invoice.ts';

/**
 * `context` is asked for by each call, because the server listens before the service has started.
 * It throws `platform.unavailable` until then.
 */
export function createRoutes(context: () => BillingContext, jobs: Pick<JobRunner, 'show' | 'retry'>): Api {
  const api = createApi();

  api.handle(OPERATIONS.getCosts, ({ params }) => getCosts(context(), params.project));

  api.handle(OPERATIONS.closePeriod, ({ params, body }) =>
    closePeriod(context(), params.project, body.until === undefined ? null : Date.parse(body.until)),
  );

  api.handle(OPERATIONS.listInvoices, async ({ params, query: { limit, cursor } }) => {
    const before = decodeCursor(cursor, 1)?.[0] ?? null;
    const db = context().db.kysely<unknown>();
    const found = await listInvoices(db, params.project, { before, limit: limit + 1 });
    return toPage(
      found,
      limit,
      ({ ordinal }) => [ordinal],
      ({ invoice }) => invoice,
    );
  });

  api.handle(OPERATIONS.getInvoice, async ({ params }) => {
    const { invoice } = await requireInvoice(context(), params.project, params.invoiceId);
    return invoice;
  });

  api.handle(OPERATIONS.getInvoicePdf, async ({ params }) => {
    const { invoice } = await requireInvoice(context(), params.project, params.invoiceId);
    return fileReply(await invoiceDocument(context(), invoice), 'application/pdf', `${invoice.number}.pdf`);
  });

  api.handle(OPERATIONS.getInvoiceCsv, async ({ params }) => {
    const { invoice } = await requireInvoice(context(), params.project, params.invoiceId);
    return fileReply(Buffer.from(invoiceCsv(invoice)), 'text/csv; charset=utf-8', `${invoice.number}.csv`);
  });

  api.handle(OPERATIONS.verifyInvoice, ({ params }) => verifyInvoice(context(), params.project, params.invoiceId));

  api.handle(OPERATIONS.payInvoice, ({ params, body }) =>
    settleInvoice(context(), params.project, params.invoiceId, { as: 'paid', reference: body.reference }),
  );

  api.handle(OPERATIONS.voidInvoice, ({ params }) =>
    settleInvoice(context(), params.project, params.invoiceId, { as: 'void' }),
  );

  api.handle(OPERATIONS.createCreditNote, ({ params, body }) =>
    createCreditNote(context(), params.project, params.invoiceId, body),
  );

  api.handle(OPERATIONS.listCreditNotes, async ({ params, query: { limit, cursor } }) => {
    const before = decodeCursor(cursor, 1)?.[0] ?? null;
    const found = await listCreditNotes(context().db.kysely<unknown>(), params.project, { before, limit: limit + 1 });
    return toPage(
      found,
      limit,
      ({ ordinal }) => [ordinal],
      ({ note }) => note,
    );
  });

  api.handle(OPERATIONS.getCreditNotePdf, async ({ params: { project, creditNoteId } }) => {
    const { number, content } = await creditNoteDocument(context(), project, creditNoteId);
    return fileReply(content, 'application/pdf', `${number}.pdf`);
  });

  api.handle(OPERATIONS.getLedger, ({ params }) => getLedger(context(), params.project));

  api.handle(OPERATIONS.listLedgerEntries, async ({ params, query: { limit, cursor } }) => {
    const before = decodeCursor(cursor, 1)?.[0] ?? null;
    const found = await listTransfers(context().db.kysely<unknown>(), params.project, { before, limit: limit + 1 });
    return toPage(
      found,
      limit,
      ({ seq }) => [seq],
      (entry) => entry,
    );
  });

  api.handle(OPERATIONS.getCostAnalysis, ({ params, query }) => getCostAnalysis(context(), params.project, query));

  api.handle(OPERATIONS.createBudget, ({ params, body }) => createBudget(context(), params.project, body));

  api.handle(OPERATIONS.listBudgets, async ({ params }) => ({ items: await listBudgets(context(), params.project) }));

  api.handle(OPERATIONS.replaceBudget, ({ params, body }) =>
    replaceBudget(context(), params.project, params.budgetId, body),
  );

  api.handle(OPERATIONS.deleteBudget, async ({ params }) => {
    await deleteBudget(context(), params.project, params.budgetId);
    return undefined;
  });

  api.handle(OPERATIONS.listBudgetAlerts, async ({ params: { project }, query: { limit, cursor } }) => {
    const before = decodeCursor(cursor, 1)?.[0] ?? null;
    const db = context().db.kysely<unknown>();
    const { currency } = await monthForecast(db, context(), project);
    return toPage(
      await listAlerts(db, project, { before, limit: limit + 1 }),
      limit,
      ({ seq }) => [seq],
      ({ alert }) => ({ ...alert, currency }),
    );
  });

  api.handle(OPERATIONS.listPriceLists, async () => {
    const { prices, db } = context();
    await prices.refresh(db.kysely<unknown>());
    return { items: prices.all().map(showPriceList) };
  });

  api.handle(OPERATIONS.validatePriceList, ({ body }) => validatePriceList(context(), body.yaml));

  api.handle(OPERATIONS.createPriceListVersion, ({ body }) => createPriceListVersion(context(), body.yaml));

  api.handle(OPERATIONS.getPriceListYaml, async ({ params: { priceListId } }) =>
    fileReply(Buffer.from(await priceListYaml(context(), priceListId)), 'application/yaml', `${priceListId}.yaml`),
  );

  api.handle(OPERATIONS.listBillingJobs, ({ query }) => jobs.show(query));

  api.handle(OPERATIONS.retryBillingJob, ({ params }) => jobs.retry(params.jobId));

  api.handle(OPERATIONS.listUsage, async ({ params: { project }, query }) => {
    const db = context().db.kysely<unknown>();
    const stored = query.invoiceId ? await requireInvoice(context(), project, query.invoiceId) : null;
    const chain = (await loadPeriods(db, [project])).get(project) ?? [];
    const after = decodeCursor(query.cursor, 2);
    const period = chain.find((one) => one.ordinal === stored?.ordinal) ?? null;
    const behind = query.line === undefined ? null : await lineBehind(context(), stored, period, chain, query.line);
    const rows = await listUsage(db, project, chain, {
      service: behind?.service ?? query.service ?? null,
      period,
      line: behind,
      after: after ? { windowStart: after[0] ?? 0, seq: after[1] ?? 0 } : null,
      limit: query.limit + 1,
    });
    return toPage(rows, query.limit, (row) => [row.windowStart, row.seq], showUsage);
  });

  return api;
}

async function requireInvoice(context: BillingContext, project: string, id: string): Promise<StoredInvoice> {
  const stored = await findInvoice(context.db.kysely<unknown>(), project, id);
  if (!stored) throw new Problem('resource.not_found', { detail: `project ${project} has no invoice ${id}` });
  return stored;
}

/** `found` holds one item more than the page where there is a next page. */
function toPage<Found, Item>(
  found: readonly Found[],
  limit: number,
  place: (item: Found) => number[],
  show: (item: Found) => Item,
) {
  const last = found.length > limit ? found[limit - 1] : undefined;
  return { items: found.slice(0, limit).map(show), nextCursor: last === undefined ? null : encodeCursor(place(last)) };
}

function showUsage(row: StoredUsageRow) {
  const { key, kind, service, revisionName, instanceId, requests, bytesOut, cpuMilli, memoryMib } = row;
  return {
    key,
    kind,
    state: kind === 'lifetime' ? row.state : undefined,
    service,
    revisionName,
    instanceId,
    windowStart: isoTime(row.windowStart),
    windowEnd: isoTime(row.windowEnd),
    requests,
    bytesOut,
    busyMs: lengthOf(mergeSpans(row.busy)),
    cpuMilli,
    memoryMib,
  };
}
