import { readFile } from 'node:fs/promises';
import { parse, stringify } from 'yaml';
import type { BillingContext } from '../context.ts';
import { PRICE_LISTS } from '../prices/load-price-lists.ts';
import { createPriceListVersion } from '../prices/manage-price-lists.ts';

/** Tier 1 prices and 19 % of tax; returns its name. Once for a database. */
export async function taxedList(
  context: BillingContext,
  name = 'taxed',
  change: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  if (context.prices.all().some((list) => list.name === name)) return name;
  const shipped: Record<string, unknown> = parse(await readFile(new URL('cloud-run-tier-1.yaml', PRICE_LISTS), 'utf8'));
  const taxes = [{ name: 'VAT', percent: '19' }];
  await createPriceListVersion(context, stringify({ ...shipped, name, taxes, ...change }));
  await context.prices.refresh(context.db.kysely<unknown>());
  return name;
}
