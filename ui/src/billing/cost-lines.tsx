import type { CostLine } from '@skyrun/contracts';
import { ReceiptText } from 'lucide-react';
import { EmptyState } from '../components/empty-state.tsx';
import { Money } from '../components/money.tsx';
import { Panel } from '../components/panel.tsx';
import { Cell, HeadCell, Table } from '../components/table.tsx';
import { LineCells } from './line-cells.tsx';

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
                <LineCells line={line} currency={currency} />
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
