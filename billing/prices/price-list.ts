import { currency, type Meter, parseMoney, timestamp } from '@skyrun/contracts';
import { z } from 'zod';

export type BillingMode = 'request' | 'instance';

/** How many quantity units (see METER_UNITS) make one priced unit. */
export const PRICED_UNITS = {
  vcpu_second: { size: 1_000n * 1_000n, label: 'vCPU-second', meters: ['cpu', 'cpu_idle', 'cpu_paused'] },
  gib_second: { size: 1_024n * 1_000n, label: 'GiB-second', meters: ['memory', 'memory_idle', 'memory_paused'] },
  million_requests: { size: 1_000_000n, label: 'million requests', meters: ['requests'] },
  gib: { size: 1n << 30n, label: 'GiB', meters: ['egress'] },
} as const satisfies Record<string, { size: bigint; label: string; meters: readonly Meter[] }>;
export type PricedUnit = keyof typeof PRICED_UNITS;

/** A price is never negative: what reduces a bill is a credit with a line of its own. */
const amount = z
  .string()
  .regex(/^\d+(\.\d{1,12})?$/, 'expected a decimal amount with at most 12 places, e.g. "0.000024"')
  .transform(parseMoney);

/** Comes out in 1/10 000 of a percent. */
const percent = z
  .string()
  .regex(/^\d{1,3}(\.\d{1,4})?$/, 'expected a percentage with at most 4 decimals, e.g. "12.5"')
  .transform((text) => parseMoney(text) / 100_000_000n);

const price = <Unit extends PricedUnit>(unit: Unit) => z.strictObject({ price: amount, per: z.literal(unit) });

const tiers = z
  .array(z.strictObject({ upToGib: z.int().min(1).optional(), price: amount }))
  .min(1)
  .superRefine((list, context) => {
    list.forEach((tier, index) => {
      const last = index === list.length - 1;
      const before = list[index - 1]?.upToGib ?? 0;
      if (last && tier.upToGib !== undefined) {
        context.addIssue({ code: 'custom', path: [index, 'upToGib'], message: 'the last tier has no end' });
      }
      if (!last && (tier.upToGib ?? 0) <= before) {
        context.addIssue({ code: 'custom', path: [index, 'upToGib'], message: `must be more than ${before}` });
      }
    });
  });

/** One dated version of a price list, as its YAML file says it. Prices come out in pico units (10⁻¹²). */
export const priceListSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9]+(-[a-z0-9]+)*$/),
  title: z.string().min(1),
  /** Usage whose window starts at or after this is priced by it, until a later version begins. */
  effectiveFrom: timestamp,
  currency,
  minorUnitPlaces: z.int().min(0).max(6),
  request: z.strictObject({
    cpu: price('vcpu_second'),
    memory: price('gib_second'),
    cpu_idle: price('vcpu_second'),
    memory_idle: price('gib_second'),
    requests: price('million_requests'),
  }),
  instance: z.strictObject({
    cpu: price('vcpu_second'),
    memory: price('gib_second'),
    /** An instance costs at least this long, once in its life. */
    minimumSeconds: z.int().min(0).max(86_400),
  }),
  /** Of the time in which an instance is frozen, in either mode; the idle price where it is left out. */
  paused: z.strictObject({ cpu: price('vcpu_second'), memory: price('gib_second') }).optional(),
  egress: tiers,
  freeTier: z.array(
    z.strictObject({
      mode: z.enum(['request', 'instance']),
      meter: z.enum(['cpu', 'memory', 'requests']),
      /** In priced units, per calendar month (UTC). */
      quantity: z.int().min(0),
      price: amount,
      per: z.enum(['vcpu_second', 'gib_second', 'million_requests']),
    }),
  ),
  /** Each of what this version priced, after the free tier; they do not compound. */
  discounts: z
    .array(z.strictObject({ name: z.string().min(1).max(100), percent }))
    .default([])
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'a name is used twice')
    .refine(
      (list) => list.reduce((sum, discount) => sum + discount.percent, 0n) <= 1_000_000n,
      'more than 100 percent together',
    ),
  /** Each on what is left after free tier and discounts; none is taxed by another. */
  taxes: z
    .array(z.strictObject({ name: z.string().min(1).max(100), percent }))
    .default([])
    .refine((list) => new Set(list.map(({ name }) => name)).size === list.length, 'a name is used twice'),
});
export type PriceListDocument = z.infer<typeof priceListSchema>;

export interface PriceList extends PriceListDocument {
  /** `<name>@<date>`, unique. */
  readonly id: string;
  readonly effectiveFromMs: number;
}

/** Thrown at start, with the file and what is wrong with it. */
export class PriceListError extends Error {
  override readonly name = 'PriceListError';
}

/** One thing that is wrong with a document, and where. */
export interface PriceListIssue {
  readonly path: readonly string[];
  readonly message: string;
}

/** Checks one document. */
export function checkPriceList(input: unknown): { readonly list: PriceList } | { readonly issues: PriceListIssue[] } {
  const parsed = priceListSchema.safeParse(input);
  if (!parsed.success) {
    return { issues: parsed.error.issues.map(({ path, message }) => ({ path: path.map(String), message })) };
  }
  const document = parsed.data;
  const issues = document.freeTier.flatMap((item, index): PriceListIssue[] =>
    PRICED_UNITS[item.per].meters.some((meter) => meter === item.meter)
      ? []
      : [{ path: ['freeTier', String(index), 'per'], message: `${item.meter} is not priced per ${item.per}` }],
  );
  if (issues.length > 0) return { issues };
  const id = `${document.name}@${document.effectiveFrom}`;
  return { list: { ...document, id, effectiveFromMs: Date.parse(document.effectiveFrom) } };
}

/** Like `checkPriceList`, but throws PriceListError; `origin` names the document in it. */
export function parsePriceList(input: unknown, origin: string): PriceList {
  const checked = checkPriceList(input);
  if ('list' in checked) return checked.list;
  const issues = checked.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new PriceListError(`${origin}: ${issues.join('; ')}`);
}

/** A percentage as it is kept, in 1/10 000 of a percent: `125000n` is `12.5`. */
export function showPercent(percent: bigint): string {
  const text = `${percent / 10_000n}.${String(percent % 10_000n).padStart(4, '0')}`;
  return text.replace(/\.?0+$/, '');
}
