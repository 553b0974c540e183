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
}

export function CostLines({ title, lines, currency }: CostLinesProps) {
  return (
    <Panel title={title} flush>
      {lines.length === 0 ? (
        <EmptyState icon={ReceiptText} title="No usage yet">
          Lines appear a few seconds after the first request.
        </EmptyState>
      ) : (
        <Table label={`${title}, table`} className="min-w-160">
          <thead>
            <tr>
              <HeadCell>Service</HeadCell>
              <HeadCell>What</HeadCell>
              <HeadCell className="text-right">Quantity</HeadCell>
              <HeadCell className="text-right">Unit price</HeadCell>
              <HeadCell className="text-right">Amount</HeadCell>
            </tr>
          </thead>
          <tbody className="[&>tr:last-child>td]:border-0">
            {lines.map((line) => (
              <tr key={`${line.service} ${line.meter} ${line.description}`}>
                <Cell className="font-medium">{line.service}</Cell>
                <Cell>{line.description}</Cell>
                <Cell className="figures text-right whitespace-nowrap" title={`${line.quantity} ${line.unit}`}>
                  {billedQuantity(line.quantity, line.unit)}
                </Cell>
                <Cell className="text-right whitespace-nowrap text-ink-2">
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
