import { BILLED_TICK_MS, formatMoney, parseMoney, type UnitPrices } from '@skyrun/contracts';

/** Whose request it is, and the size of what answers it. */
export interface CostedRevision {
  readonly project: string;
  readonly billingMode: 'request' | 'instance';
  readonly cpuMilli: number;
  readonly memoryMib: number;
}

/** Pico units of the currency, see contracts/money.ts. */
interface Rates {
  readonly currency: string;
  /** Per vCPU-second and GiB-second, and per million requests. */
  readonly request: { readonly cpu: bigint; readonly memory: bigint; readonly million: bigint };
  readonly instance: { readonly cpu: bigint; readonly memory: bigint };
}

/** The prices in force, by project. */
export type RateBook = (project: string) => Rates | undefined;

export function rateBook({ defaultList, accounts, lists }: UnitPrices): RateBook {
  const byName = new Map(
    lists.map(({ name, currency, request, instance }): [string, Rates] => [
      name,
      {
        currency,
        request: {
          cpu: parseMoney(request.cpu.price),
          memory: parseMoney(request.memory.price),
          million: parseMoney(request.requests.price),
        },
        instance: { cpu: parseMoney(instance.cpu.price), memory: parseMoney(instance.memory.price) },
      },
    ]),
  );
  const listOf = new Map(accounts.map(({ project, priceList }) => [project, priceList]));
  return (project) => byName.get(listOf.get(project) ?? defaultList);
}

/** What an instance costs in `ms`, at the price of being in use, and the request itself; pico units, rounded down. */
function costOf(
  { billingMode, cpuMilli, memoryMib }: CostedRevision,
  rates: Rates,
  ms: number,
  requests: bigint,
): bigint {
  const { cpu, memory } = rates[billingMode];
  const fee = billingMode === 'request' ? rates.request.million * requests : 0n;
  // Over the common denominator of thousandths × ms, MiB × ms and a million requests, so that there is one rounding.
  const scaled = BigInt(ms) * (BigInt(cpuMilli) * cpu * 1024n + BigInt(memoryMib) * memory * 1000n) + fee * 1024n;
  return scaled / 1_024_000_000n;
}

export interface RequestCost {
  /** Decimal text, exact to 10⁻¹² of the currency. */
  readonly amount: string;
  readonly currency: string;
}

/** What a request cost that had its instance for `ms`, in full ticks; null where there are no prices. */
export function requestCost(of: CostedRevision, rates: Rates | undefined, ms: number): RequestCost | null {
  if (rates === undefined) return null;
  const ticks = Math.max(1, Math.ceil(ms / BILLED_TICK_MS)) * BILLED_TICK_MS;
  return { amount: formatMoney(costOf(of, rates, ticks, 1n)), currency: rates.currency };
}

/**
 * The response field that tells a caller what the request cost as if it had its instance for itself: its time from
 * reaching the instance to the head of the response or to its last byte, in full ticks as they are billed, and the price of
 * a request. The head cannot know how long the body will take: `per-100ms` is what each further tick adds. The end is told
 * in a trailer. What is sent, the free tier, discounts and taxes are the bill's business.
 *
 * @param ms from the instance's getting the request to the head of its response, or its end.
 * @returns the field with its CR LF, or '' where there are no prices.
 */
export function costField(
  revision: CostedRevision,
  rates: Rates | undefined,
  ms: number,
  until: 'head' | 'end',
): string {
  const cost = requestCost(revision, rates, ms);
  if (rates === undefined || cost === null) return '';
  const field = `Skyrun-Cost: ${cost.amount} ${cost.currency}; until=${until}; ms=${Math.ceil(ms)}`;
  if (until === 'end') return `${field}\r\n`;
  const further = formatMoney(costOf(revision, rates, BILLED_TICK_MS, 0n));
  return `${field}; per-100ms=${further}\r\n`;
}
