import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { calculate } from '../calculate/calculate.ts';
import { PRICE_LISTS, readPriceLists } from '../prices/load-price-lists.ts';
import { createPriceBook } from '../prices/price-book.ts';
import { JANUARY, LASTS_MS, splitRow, usageRow, usageRows } from '../testing/usage-rows.ts';
import { accrue, placeAll, replace } from './accrue.ts';
import { addTotal, type InstanceTotal, measure } from './measure.ts';
import { measureSorted } from './measure-sorted.ts';
import type { PeriodBounds } from './slot.ts';
import type { StoredUsageRow } from './usage-row.ts';

const prices = createPriceBook((await readPriceLists(PRICE_LISTS)).map(({ list }) => list));
const OPEN: readonly PeriodBounds[] = [{ ordinal: 1, startsAt: JANUARY, endsAt: null, closedSeq: null }];

const sorted = (totals: Iterable<InstanceTotal>) =>
  [...totals]
    .filter((total) => total.requestRows !== 0 || total.lifetimeRows !== 0 || total.busyMs !== 0 || total.idleMs !== 0)
    .map((total) => JSON.stringify(total))
    .sort();

function bill(totals: readonly InstanceTotal[], ordinal = 1) {
  const { lines, credits, ...rest } = calculate({ totals, ordinal, prices, freeTier: true, minorUnitPlaces: 2 });
  return { ...rest, credits, lines: lines.map(({ usageRows: _, ...line }) => line) };
}

/** What the store does: neighbours are the earlier rows that overlap on the same instance. */
function ingestInBatches(rows: readonly StoredUsageRow[], sizes: readonly number[], periods = OPEN): InstanceTotal[] {
  const totals = new Map<string, InstanceTotal>();
  const stored: StoredUsageRow[] = [];
  let rest = [...rows];
  for (let turn = 0; rest.length > 0; turn += 1) {
    const size = sizes[turn % sizes.length] ?? 1;
    const fresh = rest.slice(0, size);
    rest = rest.slice(size);
    const neighbours = stored.filter((row) =>
      fresh.some(
        (one) =>
          one.instanceId === row.instanceId && one.windowStart < row.windowEnd && row.windowStart < one.windowEnd,
      ),
    );
    for (const total of accrue(neighbours, fresh, periods)) addTotal(totals, total);
    stored.push(...fresh);
  }
  return [...totals.values()];
}

describe('measured usage', () => {
  test('is, millisecond by millisecond, what an independent count says', () => {
    fc.assert(
      fc.property(usageRows, (rows) => {
        const seen = new Map<string, Record<'busy' | 'reserved' | 'alive' | 'paused', Set<number>>>();
        for (const row of rows) {
          const sets = seen.get(row.instanceId) ?? {
            busy: new Set(),
            reserved: new Set(),
            alive: new Set(),
            paused: new Set(),
          };
          seen.set(row.instanceId, sets);
          for (const [start, end] of row.busy) {
            for (let ms = start; ms < end; ms += 1) {
              const isPaused = row.kind === 'lifetime' && row.state === 'paused';
              if (row.kind === 'requests' || row.state === 'starting' || row.state === 'stopping') sets.busy.add(ms);
              if (isPaused) sets.paused.add(ms);
              else if (row.kind === 'lifetime') sets.alive.add(ms);
              if (row.minInstance && !isPaused) sets.reserved.add(ms);
            }
          }
        }
        for (const total of measure(placeAll(rows, OPEN))) {
          const sets = seen.get(total.instanceId);
          if (!sets || total.instanceId === '') continue;
          expect(total.busyMs).toBe(sets.busy.size);
          expect(total.aliveMs).toBe(sets.alive.size);
          expect(total.pausedMs).toBe(sets.paused.difference(sets.alive).difference(sets.busy).size);
          expect(total.idleMs).toBe(sets.reserved.difference(sets.busy).size);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('of requests that no instance answered is nothing but their rows', () => {
    const rows = [
      usageRow({ seq: 1, instanceId: '', requests: 5, bytesOut: 700, busy: [] }),
      usageRow({ seq: 2, requests: 3, bytesOut: 20 }),
    ];
    const totals = measure(placeAll(rows, OPEN));
    expect(
      totals.map(({ instanceId, requests, bytesOut, busyMs, requestRows }) => [
        instanceId,
        requests,
        bytesOut,
        busyMs,
        requestRows,
      ]),
    ).toEqual([
      ['', 0, 0, 0, 1],
      ['ins_1', 3, 20, 1000, 1],
    ]);
  });

  test('does not depend on order or batches', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 });
    const shuffled = usageRows.chain((rows) =>
      fc.tuple(fc.constant(rows), fc.shuffledSubarray(rows, { minLength: rows.length }), sizes),
    );
    fc.assert(
      fc.property(shuffled, ([rows, order, batches]) => {
        const whole = measure(placeAll(rows, OPEN));
        const pieces = ingestInBatches(order, batches);
        expect(sorted(pieces)).toEqual(sorted(whole));
        expect(bill(pieces)).toEqual(bill(whole));
      }),
      { numRuns: 150 },
    );
  });

  test('does not depend on how windows were cut', () => {
    const cut = fc.tuple(usageRows, fc.array(fc.nat(LASTS_MS), { maxLength: 5 }));
    fc.assert(
      fc.property(cut, ([rows, cuts]) => {
        const pieces = cuts.reduce<StoredUsageRow[]>(
          (list, at) => list.flatMap((row) => splitRow(row, JANUARY + at) ?? [row]),
          rows,
        );
        expect(bill(measure(placeAll(pieces, OPEN)))).toEqual(bill(measure(placeAll(rows, OPEN))));
      }),
      { numRuns: 150 },
    );
  });

  test('is the same when it is streamed in order and forgotten', async () => {
    async function* pages(rows: readonly StoredUsageRow[]) {
      for (let at = 0; at < rows.length; at += 7) yield rows.slice(at, at + 7);
    }
    await fc.assert(
      fc.asyncProperty(usageRows, async (rows) => {
        const order = rows.toSorted(
          (a, b) => a.instanceId.localeCompare(b.instanceId) || a.windowStart - b.windowStart || a.seq - b.seq,
        );
        expect(sorted(await measureSorted(pages(order), OPEN))).toEqual(sorted(measure(placeAll(rows, OPEN))));
      }),
      { numRuns: 100 },
    );
  });
});

describe('periods', () => {
  /** Closings at ascending times and places of arrival. */
  const chains = fc
    .tuple(fc.uniqueArray(fc.nat(LASTS_MS), { maxLength: 3 }), fc.array(fc.nat(40), { minLength: 3, maxLength: 3 }))
    .map(([ends, seqs]) => {
      const times = ends.map((end) => JANUARY + 1 + end).sort((a, b) => a - b);
      const places = seqs.toSorted((a, b) => a - b);
      return [...times, null].map((endsAt, index): PeriodBounds => {
        const closedSeq = endsAt === null ? null : (places[index] ?? 40);
        return { ordinal: index + 1, startsAt: times[index - 1] ?? JANUARY, endsAt, closedSeq };
      });
    });

  test('share usage out without losing or repeating any of it', () => {
    fc.assert(
      fc.property(usageRows, chains, (rows, chain) => {
        const together = (totals: readonly InstanceTotal[]) => {
          const sums = new Map<string, InstanceTotal>();
          const slot = { ordinal: 1, late: false, month: JANUARY, priceList: '', day: JANUARY };
          for (const total of totals) addTotal(sums, { ...total, slot });
          return sorted(sums.values());
        };
        expect(together(measure(placeAll(rows, chain)))).toEqual(together(measure(placeAll(rows, OPEN))));
      }),
      { numRuns: 150 },
    );
  });

  test('invoices add up, each by itself, whatever was late', () => {
    fc.assert(
      fc.property(usageRows, chains, (rows, chain) => {
        const totals = measure(placeAll(rows, chain));
        const bills = chain.map((period) => bill(totals, period.ordinal));
        for (const { lines, credits, subtotal, total } of bills) {
          expect(lines.reduce((sum, line) => sum + line.amount, 0n)).toBe(subtotal);
          expect(credits.reduce((sum, credit) => sum + credit.amount, 0n)).toBe(total - subtotal);
        }
        const exact = bills.reduce((sum, one) => sum + one.totalExact, 0n);
        expect(exact).toBe(bill(measure(placeAll(rows, OPEN))).totalExact);
      }),
      { numRuns: 150 },
    );
  });

  test('moving rows into another period changes the totals by what the move changes', () => {
    fc.assert(
      fc.property(usageRows, fc.nat(LASTS_MS), (rows, at) => {
        const endsAt = JANUARY + 1 + at;
        const after: PeriodBounds[] = [
          { ordinal: 1, startsAt: JANUARY, endsAt, closedSeq: null },
          { ordinal: 2, startsAt: endsAt, endsAt: null, closedSeq: null },
        ];
        const totals = new Map<string, InstanceTotal>();
        for (const total of measure(placeAll(rows, OPEN))) addTotal(totals, total);
        const moved = rows.filter((row) => row.windowStart >= endsAt);
        const near = rows.filter((row) =>
          moved.some(
            (one) =>
              one.instanceId === row.instanceId && one.windowStart < row.windowEnd && row.windowStart < one.windowEnd,
          ),
        );
        for (const total of replace(near, OPEN, after)) addTotal(totals, total);
        const amounts = (all: Iterable<InstanceTotal>) => sorted([...all].map((one) => ({ ...one, usageUntil: 0 })));
        expect(amounts(totals.values())).toEqual(amounts(measure(placeAll(rows, after))));
      }),
      { numRuns: 150 },
    );
  });

  test('late usage that an invoice covered already costs nothing more', () => {
    const chain: PeriodBounds[] = [
      { ordinal: 1, startsAt: JANUARY, endsAt: JANUARY + 5000, closedSeq: 1 },
      { ordinal: 2, startsAt: JANUARY + 5000, endsAt: null, closedSeq: null },
    ];
    const rows = [usageRow({ seq: 1 }), usageRow({ seq: 2, requests: 0, windowStart: JANUARY + 250 })];
    const late = measure(placeAll(rows, chain)).filter((total) => total.slot.ordinal === 2);
    expect(late).toMatchObject([{ slot: { late: true }, busyMs: 250, requests: 0 }]);
  });
});
