import { type BillingAdvice, formatMoney } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import type { InstanceTotal } from '../aggregate/measure.ts';
import { DAY_MS, dayStart } from '../aggregate/slot.ts';
import type { BillingContext } from '../context.ts';
import type { PriceBook } from '../prices/price-book.ts';
import { roundExact } from '../rate/exact.ts';
import { quantitiesOf } from '../rate/quantities.ts';
import { rate } from '../rate/rate.ts';
import { measuredServices } from '../store/samples.ts';
import { loadDays } from '../store/totals.ts';
import { type MeasuredService, rightSize } from './right-size.ts';

/** Sizes for the services of a project by what they used over the last `days` days, today included. */
export async function getBillingAdvice(context: BillingContext, project: string, days: number): Promise<BillingAdvice> {
  const { clock, prices } = context;
  const db = context.db.kysely<unknown>();
  await prices.refresh(db);
  const now = clock.now();
  const from = dayStart(now) - (days - 1) * DAY_MS;
  const untilDay = dayStart(now) + DAY_MS;
  const totals = await loadDays(db, project, { fromDay: from, untilDay, byInstance: false });
  const byService = Map.groupBy(totals, ({ service }) => service);
  const measured = await measuredServices(db, project, from);
  const [list] = totals.map(({ slot }) => prices.byId(slot.priceList));
  return {
    project,
    currency: (list ?? prices.at(context.newAccount.priceList, now)).currency,
    from: isoTime(from),
    until: isoTime(now),
    rightSizing: measured.map((one) => advise(one, byService.get(one.service) ?? [], prices)),
  };
}

/** A recommendation with its price: the time at the size it has, and the same time at the recommended one. */
export function advise(
  measured: MeasuredService,
  totals: readonly InstanceTotal[],
  prices: PriceBook,
): BillingAdvice['rightSizing'][number] {
  const { service, cpuMilli, memoryMib, cpuUsed, memoryUsed, windows, instances } = measured;
  const size = rightSize(measured);
  const own = totals.filter((total) => total.cpuMilli === cpuMilli && total.memoryMib === memoryMib);
  const amount = costOf(own, prices);
  const resized = own.map((total) => ({ ...total, cpuMilli: size.cpuMilli, memoryMib: size.memoryMib }));
  const recommendedAmount = costOf(resized, prices);
  return {
    service,
    cpuMilli: { requested: cpuMilli, ...cpuUsed, recommended: size.cpuMilli },
    memoryMib: { requested: memoryMib, ...memoryUsed, recommended: size.memoryMib },
    windows,
    instances,
    verdict: size.verdict,
    reason: size.reason,
    amount: formatMoney(amount),
    recommendedAmount: formatMoney(recommendedAmount),
    saving: formatMoney(amount - recommendedAmount),
  };
}

/** At list price, in pico units; without what was sent, which has nothing to do with size. */
function costOf(totals: readonly InstanceTotal[], prices: PriceBook): bigint {
  const rated = rate(quantitiesOf(totals, prices), prices).filter(({ meter }) => meter !== 'egress');
  return roundExact(
    rated.reduce((sum, item) => sum + item.exact, 0n),
    12,
  );
}
