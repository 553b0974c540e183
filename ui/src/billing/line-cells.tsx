import type { CostLine } from '@skyrun/contracts';
import { Money } from '../components/money.tsx';
import { Cell } from '../components/table.tsx';
import { billedQuantity } from '../format/quantity.ts';

interface LineCellsProps {
  readonly line: Pick<CostLine, 'description' | 'quantity' | 'unit' | 'unitPrice' | 'pricedUnit'>;
  readonly currency: string;
}

/** What was used, how much of it and at what price; on a narrow screen the quantity stands below the words. */
export function LineCells({ line, currency }: LineCellsProps) {
  const quantity = billedQuantity(line.quantity, line.unit);
  return (
    <>
      <Cell>
        {line.description}
        <span className="figures block text-xs text-ink-3 sm:hidden">{quantity}</span>
      </Cell>
      <Cell
        className="figures hidden text-right whitespace-nowrap sm:table-cell"
        title={`${line.quantity} ${line.unit}`}
      >
        {quantity}
      </Cell>
      <Cell className="hidden text-right whitespace-nowrap text-ink-2 sm:table-cell">
        <Money amount={line.unitPrice} currency={currency} />
        <span className="block text-xs text-ink-3">per {line.pricedUnit}</span>
      </Cell>
    </>
  );
}
