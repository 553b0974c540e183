import { type FieldError, Problem, type PublicPriceList } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { parse, stringify, YAMLParseError } from 'yaml';
import type { BillingContext } from '../context.ts';
import { CLOCK_AHEAD_MS } from '../ingest/check-usage.ts';
import { findPriceListDocument, insertPriceList } from '../store/price-lists.ts';
import { createPriceBook, type PriceBook } from './price-book.ts';
import { checkPriceList, type PriceList, PriceListError } from './price-list.ts';
import { showPriceList } from './show-price-list.ts';

/**
 * How long before it is in force a version of a known list, or the change of an account to another list, must be there, in
 * milliseconds: no usage may have been priced by what was in force before it. A producer's clock may be ahead by CLOCK_AHEAD_MS, and a batch takes its time.
 */
export const NOTICE_MS = CLOCK_AHEAD_MS + 60_000;

type Checked = { readonly list: PriceList; readonly document: unknown } | { readonly errors: readonly FieldError[] };

export interface PriceListCheck {
  readonly valid: boolean;
  readonly errors: FieldError[];
  readonly priceList: PublicPriceList | null;
}

/** Whether a version could be added now, and what is wrong with it. */
export async function validatePriceList(context: BillingContext, yaml: string): Promise<PriceListCheck> {
  await context.prices.refresh(context.db.kysely<unknown>());
  const checked = checkVersion(yaml, context.prices, context.clock.now());
  if ('errors' in checked) return { valid: false, errors: [...checked.errors], priceList: null };
  return { valid: true, errors: [], priceList: showPriceList(checked.list) };
}

/** Adds a version. Throws `request.invalid`, or `resource.already_exists` for a date that has one. */
export function createPriceListVersion(context: BillingContext, yaml: string): Promise<PublicPriceList> {
  return context.db.transaction(async (tx) => {
    const db = tx.kysely<unknown>();
    // One at a time, so that each is checked against all others.
    await tx.query(`SELECT pg_advisory_xact_lock(hashtextextended('price lists', 0))`);
    await context.prices.refresh(db);
    const checked = checkVersion(yaml, context.prices, context.clock.now());
    if ('errors' in checked) {
      const [first] = checked.errors;
      throw new Problem('request.invalid', {
        detail: `${first?.field ?? '/yaml'}: ${first?.message ?? 'is not a price list'}`,
        errors: checked.errors,
      });
    }
    const { list, document } = checked;
    if (!(await insertPriceList(db, list, document))) {
      throw new Problem('resource.already_exists', {
        detail: `${list.id} is there already and cannot change; give new prices a later effectiveFrom`,
      });
    }
    context.logger.info({ priceList: list.id }, 'a version of a price list was added');
    return showPriceList(list);
  });
}

/** A version as YAML. Throws `resource.not_found`. */
export async function priceListYaml(context: BillingContext, id: string): Promise<string> {
  const document = await findPriceListDocument(context.db.kysely<unknown>(), id);
  if (document === undefined) throw new Problem('resource.not_found', { detail: `there is no price list ${id}` });
  return stringify(document);
}

function checkVersion(yaml: string, book: PriceBook, now: number): Checked {
  let document: unknown;
  try {
    document = parse(yaml);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    return { errors: [{ field: '/yaml', message: error.message }] };
  }
  const checked = checkPriceList(document);
  if ('issues' in checked) {
    return { errors: checked.issues.map(({ path, message }) => ({ field: `/${path.join('/')}`, message })) };
  }
  const { list } = checked;
  const others = book.all().filter(({ id }) => id !== list.id);
  if (others.length < book.all().length) return { list, document };
  if (others.some(({ name }) => name === list.name) && list.effectiveFromMs < now + NOTICE_MS) {
    const message = `expected a time after ${isoTime(now + NOTICE_MS)}: usage before it may be priced already`;
    return { errors: [{ field: '/effectiveFrom', message }] };
  }
  try {
    createPriceBook([...others, list]);
  } catch (error) {
    if (!(error instanceof PriceListError)) throw error;
    return { errors: [{ field: '/currency', message: error.message }] };
  }
  return { list, document };
}
