import { moneyParts, moneyText } from '../format/money.ts';
import { classNames } from './class-names.ts';

/** An amount as the API gave it; what is smaller than the minor unit is set smaller. */
export function Money({ amount, currency, className }: { amount: string; currency: string; className?: string }) {
  const { sign, symbol, whole, minor, rest } = moneyParts(amount, currency);
  return (
    <data
      value={amount}
      title={moneyText(amount, currency)}
      className={classNames('figures whitespace-nowrap', className)}
    >
      {sign}
      {symbol}
      {whole}.{minor}
      {rest !== '' && <span className="text-[0.78em] text-ink-3">{rest}</span>}
    </data>
  );
}
