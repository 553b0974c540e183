import type { CostLine } from '@skyrun/contracts';
import { ReceiptText } from 'lucide-react';
import { EmptyState } from '../components/empty-state.tsx';
import { Money } from '../components/money.tsx';
import { Panel } from '../components/panel.tsx';
import { Cell, HeadCell, Table } from '../components/table.tsx';
import { billedQuantity } from '../format/quantity.ts';

interface CostLinesProps {
  readonly title: string;
  readonly lines: readonly CostLine[];
  readonly currency: string;
  /** All lines are of one service, which the page names. */
  readonly ofOneService?: boolean;
}

export function CostLines({ title, lines, currency, ofOneService = false }: CostLinesProps) {
  return (
    <Panel title={title} flush>
      {lines.length === 0 ? (
        <EmptyState icon={ReceiptText} title="No usage yet">
          Lines appear a few seconds after the first request.
        </EmptyState>
      ) : (
        <Table label={`${title}, table`} className="sm:min-w-160">
          <thead>
            <tr>
              {!ofOneService && <HeadCell>Service</HeadCell>}
              <HeadCell>What</HeadCell>
              <HeadCell className="hidden text-right sm:table-cell">Quantity</HeadCell>
              <HeadCell className="hidden text-right sm:table-cell">Unit price</HeadCell>
              <HeadCell className="text-right">Amount</HeadCell>
            </tr>
          </thead>
          <tbody className="[&>tr:last-child>td]:border-0">
            {lines.map((line) => (
              <tr key={`${line.service} ${line.meter} ${line.description}`}>
                {!ofOneService && <Cell className="font-medium">{line.service}</Cell>}
                <Cell>
                  {line.description}
                  <span className="figures block text-xs text-ink-3 sm:hidden">
                    {billedQuantity(line.quantity, line.unit)}
                  </span>
                </Cell>
                <Cell
                  className="figures hidden text-right whitespace-nowrap sm:table-cell"
                  title={`${line.quantity} ${line.unit}`}
                >
                  {billedQuantity(line.quantity, line.unit)}
                </Cell>
                <Cell className="hidden text-right whitespace-nowrap text-ink-2 sm:table-cell">
                  <Money amount={line.unitPrice} currency={currency} />
                  <span className="block text-xs text-ink-3">per {line.pricedUnit}</span>
                </Cell>
                <Cell className="text-right font-medium">
                  <Money amount={line.exactAmount ?? line.amount} currency={currency} />
                </Cell>
              </tr>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
