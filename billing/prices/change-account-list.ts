import { type AccountPriceList, type AccountPriceListChange, Problem } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { monthStart } from '../aggregate/slot.ts';
import type { BillingContext } from '../context.ts';
import { changeList, dropChangesFrom, listChanges } from '../store/account-lists.ts';
import { type Account, findAccount, lockAccounts, openAccounts } from '../store/accounts.ts';
import type { Sql } from '../store/sql.ts';
import { hasUsage } from '../store/usage.ts';
import { listAt, listNameAt } from './account-list.ts';
import { NOTICE_MS } from './manage-price-lists.ts';
import type { PriceBook } from './price-book.ts';
import { readRegions } from './regions.ts';

/** Which list prices a project's usage, now and from when on another. */
export async function getAccountPriceList(context: BillingContext, project: string): Promise<AccountPriceList> {
  const db = context.db.kysely<unknown>();
  await context.prices.refresh(db);
  return show(db, context, project);
}

/**
 * Prices a project's usage by another list from a time on, in whose middle the period is split. Changes that were planned
 * for that time or later are taken back. Throws `request.invalid` for a list or region that is not known, another
 * currency, or a time from which usage may be priced already.
 */
export function changeAccountPriceList(
  context: BillingContext,
  project: string,
  asked: AccountPriceListChange,
): Promise<AccountPriceList> {
  return context.db.transaction(async (tx) => {
    const db = tx.kysely<unknown>();
    const { prices, clock, newAccount, logger } = context;
    const now = clock.now();
    await prices.refresh(db);
    const name = await nameOf(asked, prices);
    await openAccounts(db, [{ project, ...newAccount, startsAt: monthStart(now) }], now);
    const account = (await lockAccounts(db, [project])).get(project);
    if (!account) throw new RangeError(`there is no account of project ${project}`);
    const earliest = await earliestChange(db, project, now);
    const from = asked.effectiveFrom === undefined ? earliest : Date.parse(asked.effectiveFrom);
    if (from < earliest) {
      throw invalid(
        'effectiveFrom',
        `expected a time from ${isoTime(earliest)} on: usage before it may be priced already`,
      );
    }
    sameMoney(prices, account, name, from);
    await dropChangesFrom(db, project, from);
    const kept = { ...account, changes: account.changes.filter(({ effectiveFrom }) => effectiveFrom < from) };
    if (listNameAt(kept, from) !== name) {
      await changeList(db, { project, priceList: name, effectiveFrom: from, createdAt: now });
      logger.info({ project, priceList: name, effectiveFrom: isoTime(from) }, 'the price list of a project changes');
    }
    return show(db, context, project);
  });
}

async function nameOf({ priceList, region }: AccountPriceListChange, prices: PriceBook): Promise<string> {
  const known = [...new Set(prices.all().map((list) => list.name))];
  if (priceList !== undefined) {
    if (known.includes(priceList)) return priceList;
    throw invalid('priceList', `expected one of ${known.join(', ')}`);
  }
  const regions = await readRegions();
  const found = regions.find((one) => one.region === region);
  if (found && known.includes(found.priceList)) return found.priceList;
  throw invalid('region', `expected one of ${regions.map((one) => one.region).join(', ')}`);
}

/** One invoice may hold lines of both lists. */
function sameMoney(prices: PriceBook, account: Account, name: string, from: number): void {
  const before = listAt(prices, account, from);
  const after = prices.at(name, from);
  if (before.currency === after.currency && before.minorUnitPlaces === after.minorUnitPlaces) return;
  throw invalid('priceList', `${name} is in ${after.currency}, the account is in ${before.currency} and stays in it`);
}

/** No usage may have been priced from then on; before any usage that is ever. */
async function earliestChange(db: Sql, project: string, now: number): Promise<number> {
  return (await hasUsage(db, project)) ? now + NOTICE_MS : monthStart(now);
}

async function show(db: Sql, context: BillingContext, project: string): Promise<AccountPriceList> {
  const { prices, clock, newAccount } = context;
  const now = clock.now();
  const account = (await findAccount(db, project)) ?? { project, ...newAccount, changes: [] };
  const { name, title, currency } = listAt(prices, account, now);
  const changes = await listChanges(db, project);
  return {
    project,
    priceList: name,
    title,
    currency,
    freeTier: account.freeTier,
    changes: changes.map(({ priceList, effectiveFrom, createdAt }) => ({
      priceList,
      effectiveFrom: isoTime(effectiveFrom),
      createdAt: isoTime(createdAt),
    })),
    earliestChange: isoTime(await earliestChange(db, project, now)),
    regions: await readRegions(),
  };
}

function invalid(field: string, message: string): Problem {
  return new Problem('request.invalid', { detail: `${field}: ${message}`, errors: [{ field: `/${field}`, message }] });
}
