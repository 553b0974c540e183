import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ReceiptText } from 'lucide-react';
import { useApi } from '../../api/context.ts';
import { invoicesQuery } from '../../api/queries.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListState } from '../../components/list-state.tsx';
import { Money } from '../../components/money.tsx';
import { MoreButton } from '../../components/more-button.tsx';
import { Panel } from '../../components/panel.tsx';
import { shortTimeText } from '../../format/time.ts';
import { InvoiceState } from './invoice-state.tsx';

export function InvoiceList({ project }: { project: string }) {
  const list = useInfiniteQuery(invoicesQuery(useApi(), project));
  const invoices = list.data?.pages.flatMap((page) => page.items);
  return (
    <Panel title="Invoices" flush>
      <ListState
        list={list}
        items={invoices}
        rows={2}
        empty={
          <EmptyState icon={ReceiptText} title="No invoice yet">
            Each month is closed into one by itself; “Close period” on the overview makes one now.
          </EmptyState>
        }
      />
      {invoices !== undefined && invoices.length > 0 && (
        <ul aria-label="Invoices">
          {invoices.map(({ id, number, state, periodStart, periodEnd, total, currency }) => (
            <li
              key={id}
              className="relative flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-4 py-3 transition-colors last:border-0 hover:bg-hover/50"
            >
              <Link
                to="/projects/$project/billing/$invoiceId"
                params={{ project, invoiceId: id }}
                className="font-semibold after:absolute after:inset-0"
              >
                {number}
              </Link>
              <InvoiceState state={state} />
              <span className="figures text-[0.8125rem] text-ink-3">
                {shortTimeText(periodStart)} – {shortTimeText(periodEnd)}
              </span>
              <Money amount={total} currency={currency} className="ml-auto font-medium" />
            </li>
          ))}
        </ul>
      )}
      <MoreButton list={list} label="Older invoices" />
    </Panel>
  );
}
