import type { Invoice } from '@skyrun/contracts';
import { ChevronRight, ReceiptText } from 'lucide-react';
import { Fragment, useId, useState } from 'react';
import { classNames } from '../../components/class-names.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { Money } from '../../components/money.tsx';
import { Panel } from '../../components/panel.tsx';
import { Cell, HeadCell, Table } from '../../components/table.tsx';
import { groupDigits } from '../../format/money.ts';
import { LineCells } from '../line-cells.tsx';
import { LineUsage } from './line-usage.tsx';

/** Lines of an invoice; each opens to the usage rows that it sums up. */
export function InvoiceLines({ invoice }: { invoice: Invoice }) {
  const { lines, currency } = invoice;
  const [open, setOpen] = useState<ReadonlySet<number>>(new Set());
  const id = useId();
  const toggle = (index: number) => {
    const next = new Set(open);
    if (!next.delete(index)) next.add(index);
    setOpen(next);
  };
  return (
    <Panel title="Lines" note="Open a line to see the usage behind it." flush>
      {lines.length === 0 ? (
        <EmptyState icon={ReceiptText} title="No usage in this period">
          The invoice has no lines.
        </EmptyState>
      ) : (
        <Table label="Lines, table" className="sm:min-w-176">
          <thead>
            <tr>
              <HeadCell>Service</HeadCell>
              <HeadCell>What</HeadCell>
              <HeadCell className="hidden text-right sm:table-cell">Quantity</HeadCell>
              <HeadCell className="hidden text-right sm:table-cell">Unit price</HeadCell>
              <HeadCell className="hidden text-right sm:table-cell">Usage rows</HeadCell>
              <HeadCell className="text-right">Amount</HeadCell>
            </tr>
          </thead>
          <tbody>
            {lines.map((line, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: a finalized invoice's lines keep their places
              <Fragment key={index}>
                <tr>
                  <Cell className="font-medium">
                    <button
                      type="button"
                      aria-expanded={open.has(index)}
                      aria-controls={`${id}-${index}`}
                      aria-label={`Usage of ${line.service}, ${line.description}`}
                      onClick={() => toggle(index)}
                      className="-ml-1.5 flex items-center gap-1.5 rounded-md py-0.5 pr-2 pl-0.5 hover:bg-hover"
                    >
                      <ChevronRight
                        aria-hidden
                        className={classNames('size-4 text-ink-3 transition-transform', open.has(index) && 'rotate-90')}
                      />
                      {line.service}
                    </button>
                  </Cell>
                  <LineCells line={line} currency={currency} />
                  <Cell className="figures hidden text-right text-ink-2 sm:table-cell">
                    {groupDigits(String(line.usageRows))}
                  </Cell>
                  <Cell className="text-right font-medium">
                    <Money amount={line.amount} currency={currency} />
                  </Cell>
                </tr>
                {open.has(index) && (
                  <tr id={`${id}-${index}`}>
                    <td colSpan={6} className="border-b border-line bg-sunken p-0">
                      <LineUsage invoice={invoice} index={index} />
                    </td>
                  </tr>
                )}
              </Fragment>
            ))}
          </tbody>
        </Table>
      )}
    </Panel>
  );
}
