import type { BudgetSpec } from '@skyrun/contracts';
import type { Forecast } from './forecast.ts';

/** The thresholds that this month's figures have reached; `amount` in pico units. */
export function reachedThresholds(
  { amount, thresholds }: { readonly amount: bigint; readonly thresholds: BudgetSpec['thresholds'] },
  { spent, expected }: Pick<Forecast, 'spent' | 'expected'>,
): BudgetSpec['thresholds'] {
  return thresholds.filter(({ percent, basis }) => {
    const figure = basis === 'actual' ? spent : expected;
    return figure > 0n && figure * 100n >= amount * BigInt(percent);
  });
}
