import { type CostReport, formatMoney } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { monthStart } from '../aggregate/slot.ts';
import type { BillLine } from '../calculate/calculate.ts';
import type { BillingContext } from '../context.ts';
import { billPeriod } from '../period/bill-period.ts';
import { showPercent } from '../prices/price-list.ts';
import { roundExact } from '../rate/exact.ts';
import { type Account, findAccount, loadPeriods, type Period } from '../store/accounts.ts';

/** Live cost of the open period: what an invoice of this moment would say. A project without usage costs nothing. */
export async function getCosts(context: BillingContext, project: string): Promise<CostReport> {
  const { db, clock, prices, newAccount } = context;
  const now = clock.now();
  const connection = db.kysely<unknown>();
  const account: Account = (await findAccount(connection, project)) ?? { project, ...newAccount, changes: [] };
  const period = (await loadPeriods(connection, [project])).get(project)?.at(-1) ?? firstPeriod(project, now);
  const { bill, list, priceLists, usageUntil, requests } = await billPeriod(connection, account, period, prices);
  const services = Map.groupBy(bill.lines, (line) => line.service);
  return {
    project,
    currency: list.currency,
    periodStart: isoTime(period.startsAt),
    usageUntil: usageUntil === null ? null : isoTime(usageUntil),
    computedAt: isoTime(now),
    priceList: priceLists,
    services: [...new Set([...services.keys(), ...requests.keys()])].sort().map((service) => {
      const lines = services.get(service) ?? [];
      return {
        service,
        amount: formatMoney(lines.reduce((sum, line) => sum + line.amount, 0n)),
        exactAmount: twelvePlaces(lines.reduce((sum, line) => sum + line.exact, 0n)),
        requests: String(requests.get(service) ?? 0),
      };
    }),
    lines: bill.lines.map(costLine),
    credits: bill.credits.map(({ description, amount }) => ({ description, amount: formatMoney(amount) })),
    taxes: bill.taxes.map(({ name, percent, amount }) => ({
      name,
      percent: showPercent(percent),
      amount: formatMoney(amount),
    })),
    subtotal: formatMoney(bill.subtotal),
    exactSubtotal: twelvePlaces(bill.subtotalExact),
    total: formatMoney(bill.total),
    exactTotal: twelvePlaces(bill.totalExact),
  };
}

function costLine(line: BillLine) {
  const { meter, service, description, unit, pricedUnit } = line;
  return {
    meter,
    service,
    description,
    quantity: line.quantity.toString(),
    unit,
    unitPrice: formatMoney(line.unitPrice),
    pricedUnit,
    amount: formatMoney(line.amount),
    exactAmount: twelvePlaces(line.exact),
  };
}

function twelvePlaces(exact: bigint): string {
  return formatMoney(roundExact(exact, 12));
}

function firstPeriod(project: string, now: number): Period {
  return {
    project,
    ordinal: 1,
    state: 'open',
    startsAt: monthStart(now),
    endsAt: null,
    closedSeq: null,
    invoiceId: null,
  };
}
