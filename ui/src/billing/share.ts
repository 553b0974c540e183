import { parseMoney } from '@skyrun/contracts';

/** `part ÷ whole` of two amounts, between 0 and 1: for the length of a bar, never for a figure. */
export function shareOf(part: string, whole: string): number {
  const all = parseMoney(whole);
  const some = parseMoney(part);
  if (all <= 0n || some <= 0n) return 0;
  return some >= all ? 1 : Number((some * 10_000n) / all) / 10_000;
}

export function largest(amounts: readonly string[]): string {
  return amounts.reduce((most, amount) => (parseMoney(amount) > parseMoney(most) ? amount : most), '0');
}

/** What costs most comes first. */
export function byAmount<Item extends { readonly amount: string }>(items: readonly Item[]): Item[] {
  return [...items].sort((a, b) => {
    const difference = parseMoney(b.amount) - parseMoney(a.amount);
    return difference === 0n ? 0 : difference > 0n ? 1 : -1;
  });
}
