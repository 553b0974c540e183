import { type COST_GROUPS, type CostAnalysis, formatMoney, Problem } from '@skyrun/contracts';
import { isoTime } from '@skyrun/kit';
import { DAY_MS, dayStart, monthStart } from '../aggregate/slot.ts';
import { monthForecast, showForecast } from '../budget/month-forecast.ts';
import type { BillingContext } from '../context.ts';
import { EXACT_SCALE, roundExact } from '../rate/exact.ts';
import { loadDays } from '../store/totals.ts';
import { type Attributed, attribute, compareModes, GROUP_KEYS } from './attribute.ts';

const LONGEST_DAYS = 366;

/** Cost of whole days at list price. Throws `request.invalid` for days that end before they begin, or for too many. */
export async function getCostAnalysis(
  context: BillingContext,
  project: string,
  query: {
    readonly from?: string | undefined;
    readonly until?: string | undefined;
    readonly groupBy: (typeof COST_GROUPS)[number];
  },
): Promise<CostAnalysis> {
  const { groupBy } = query;
  const now = context.clock.now();
  const fromDay = query.from === undefined ? monthStart(now) : Date.parse(query.from);
  const untilDay = (query.until === undefined ? dayStart(now) : Date.parse(query.until)) + DAY_MS;
  if (untilDay <= fromDay || untilDay - fromDay > LONGEST_DAYS * DAY_MS) {
    const message = `expected a day from \`from\` on, and at most ${LONGEST_DAYS} days`;
    throw new Problem('request.invalid', { detail: `until: ${message}`, errors: [{ field: 'until', message }] });
  }
  const db = context.db.kysely<unknown>();
  await context.prices.refresh(db);
  // From the month's first day on, as tiers count by month.
  const month = await loadDays(db, project, { fromDay: monthStart(fromDay), untilDay, byInstance: true });
  const keyOf = GROUP_KEYS[groupBy];
  const wanted = (day: number) => day >= fromDay;
  const keyed = attribute(month, context.prices, (total) => (wanted(total.slot.day) ? `+${keyOf(total)}` : '-'));
  const groups = [...keyed].filter(([key]) => key.startsWith('+')).map(([key, cost]) => [key.slice(1), cost] as const);
  const total = groups.reduce(
    (sum, [, cost]) => ({
      exact: sum.exact + cost.exact,
      idleExact: sum.idleExact + cost.idleExact,
      requests: sum.requests + cost.requests,
    }),
    { exact: 0n, idleExact: 0n, requests: 0 },
  );
  const days = month.filter(({ slot }) => wanted(slot.day));
  const { forecast, currency } = await monthForecast(db, context, project);
  return {
    project,
    currency,
    from: isoTime(fromDay),
    until: isoTime(untilDay),
    groupBy,
    groups: groups
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, cost]) => ({
        key: groupBy === 'day' ? isoTime(Number(key)).slice(0, 10) : key,
        service: groupBy === 'day' ? null : (key.split('/')[0] ?? null),
        ...figures(cost),
      })),
    total: figures(total),
    modes: compareModes(days, context.prices).map(({ service, mode, exact, otherMode, otherExact }) => ({
      service,
      mode,
      amount: twelvePlaces(exact),
      otherMode,
      otherAmount: twelvePlaces(otherExact),
      saving: twelvePlaces(exact - otherExact),
    })),
    forecast: showForecast(forecast),
  };
}

function figures({ exact, idleExact, requests }: Attributed) {
  const per1000 = requests === 0 ? null : formatMoney((exact * 1000n) / (BigInt(requests) * EXACT_SCALE));
  return {
    amount: twelvePlaces(exact),
    requests: String(requests),
    per1000Requests: per1000,
    idleAmount: twelvePlaces(idleExact),
    idleShare: exact === 0n ? null : Number((idleExact * 1_000_000n) / exact) / 1_000_000,
  };
}

function twelvePlaces(exact: bigint): string {
  return formatMoney(roundExact(exact, 12));
}
