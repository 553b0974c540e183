import type { CostReport } from '@skyrun/contracts';
import { Money } from '../components/money.tsx';

type TotalsProps = Pick<CostReport, 'subtotal' | 'credits' | 'taxes' | 'total' | 'currency'>;

/** Subtotal, credits, taxes, total: the end of every bill. */
export function Totals({ subtotal, credits, taxes, total, currency }: TotalsProps) {
  return (
    <dl className="ml-auto grid w-full max-w-sm grid-cols-[minmax(0,1fr)_auto] gap-x-6 gap-y-2">
      <dt className="text-ink-2">Subtotal</dt>
      <dd className="text-right">
        <Money amount={subtotal} currency={currency} />
      </dd>
      {credits.map(({ description, amount }) => (
        <div key={description} className="contents">
          <dt className="text-ink-2">{description}</dt>
          <dd className="text-right text-ok-ink">
            <Money amount={amount} currency={currency} />
          </dd>
        </div>
      ))}
      {taxes?.map(({ name, percent, amount }) => (
        <div key={name} className="contents">
          <dt className="text-ink-2">
            {name} ({percent} %)
          </dt>
          <dd className="text-right">
            <Money amount={amount} currency={currency} />
          </dd>
        </div>
      ))}
      <dt className="border-t border-line pt-2 font-semibold">Total</dt>
      <dd className="border-t border-line pt-2 text-right font-semibold">
        <Money amount={total} currency={currency} />
      </dd>
    </dl>
  );
}
