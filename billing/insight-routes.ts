import { OPERATIONS } from '@skyrun/contracts';
import type { Api } from '@skyrun/kit';
import type { BillingContext } from './context.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';
import { getContacts, replaceContacts, retryMail, sendTestMail } from './notify/manage-mails.ts';
import { changeAccountPriceList, getAccountPriceList } from './prices/change-account-list.ts';
import { listUnitPrices } from './prices/unit-prices.ts';
import { getBillingAdvice } from './rightsize/get-advice.ts';
import { listMails } from './store/mails.ts';

/** Adds what billing tells people by itself, and what it advises. */
export function bindInsight(
  api: Api,
  context: () => BillingContext,
  { mailServer }: { readonly mailServer: boolean },
): Api {
  api.handle(OPERATIONS.getBillingContacts, ({ params }) => getContacts(context(), params.project, mailServer));

  api.handle(OPERATIONS.replaceBillingContacts, ({ params, body }) =>
    replaceContacts(context(), params.project, body.emails, mailServer),
  );

  api.handle(OPERATIONS.listBillingMails, async ({ params, query: { limit, cursor } }) => {
    const before = decodeCursor(cursor, 1)?.[0] ?? null;
    const found = await listMails(context().db.kysely<unknown>(), params.project, { before, limit: limit + 1 });
    const last = found.length > limit ? found[limit - 1] : undefined;
    return {
      items: found.slice(0, limit).map(({ mail }) => mail),
      nextCursor: last === undefined ? null : encodeCursor([last.seq]),
    };
  });

  api.handle(OPERATIONS.sendTestMail, async ({ params }) => ({ items: await sendTestMail(context(), params.project) }));

  api.handle(OPERATIONS.retryBillingMail, ({ params }) => retryMail(context(), params.project, params.mailId));

  api.handle(OPERATIONS.getBillingAdvice, ({ params, query }) =>
    getBillingAdvice(context(), params.project, query.days),
  );

  api.handle(OPERATIONS.getAccountPriceList, ({ params }) => getAccountPriceList(context(), params.project));

  api.handle(OPERATIONS.changeAccountPriceList, ({ params, body }) =>
    changeAccountPriceList(context(), params.project, body),
  );

  api.handle(OPERATIONS.listUnitPrices, () => listUnitPrices(context()));

  return api;
}
