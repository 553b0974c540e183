import type { Invoice } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { useApi } from '../../api/context.ts';
import { invoiceQuery } from '../../api/queries.ts';
import { Money } from '../../components/money.tsx';
import { Page } from '../../components/page.tsx';
import { Panel } from '../../components/panel.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { dateTimeText } from '../../format/time.ts';
import { useProjectName } from '../../shell/place.ts';
import { Totals } from '../totals.tsx';
import { CreditNoteList } from './credit-note-list.tsx';
import { InvoiceActions } from './invoice-actions.tsx';
import { InvoiceLines } from './invoice-lines.tsx';
import { InvoiceState } from './invoice-state.tsx';
import { SettleButtons } from './settle-buttons.tsx';

export function InvoicePage() {
  const project = useProjectName();
  const { invoiceId } = useParams({ strict: false });
  const { data: invoice, error, refetch } = useQuery(invoiceQuery(useApi(), project, invoiceId ?? ''));
  return (
    <Page
      title={invoice === undefined ? 'Invoice' : `Invoice ${invoice.number}`}
      documentTitle={`Invoice ${invoice?.number ?? ''} – ${project}`}
      above={
        <Link
          to="/projects/$project/billing/invoices"
          params={{ project }}
          className="mb-1 inline-flex items-center gap-1 text-[0.8125rem] text-ink-3 hover:text-ink"
        >
          <ArrowLeft aria-hidden className="size-3.5" />
          Invoices
        </Link>
      }
      subtitle={
        invoice && (
          <span className="figures">
            {dateTimeText(invoice.periodStart)} – {dateTimeText(invoice.periodEnd)} · price list {invoice.priceList}
          </span>
        )
      }
      actions={
        invoice && (
          <>
            <InvoiceState state={invoice.state} />
            <SettleButtons invoice={invoice} />
          </>
        )
      }
    >
      {error !== null && invoice === undefined && <ProblemNotice error={error} onRetry={refetch} />}
      {invoice === undefined && error === null && <Skeleton className="h-80 rounded-xl" />}
      {invoice !== undefined && (
        <>
          <InvoiceActions invoice={invoice} />
          <InvoiceLines invoice={invoice} />
          <Panel>
            <Totals {...invoice} />
            <Settlement invoice={invoice} />
          </Panel>
          <CreditNoteList project={project} invoiceId={invoice.id} />
          <p className="text-xs text-ink-3">Made {dateTimeText(invoice.createdAt)}; it does not change any more.</p>
        </>
      )}
    </Page>
  );
}

/** What is still to be paid, or when that ended. */
function Settlement({ invoice: { due, settledAt, state, currency, paymentReference } }: { invoice: Invoice }) {
  if (state === 'open' && due !== undefined) {
    return (
      <p className="mt-3 flex justify-end gap-6 border-t border-line pt-3 text-ink-2">
        Due after credit notes <Money amount={due} currency={currency} className="font-semibold text-ink" />
      </p>
    );
  }
  if (settledAt === undefined || settledAt === null) return null;
  return (
    <p className="mt-3 border-t border-line pt-3 text-right text-ink-2">
      {state === 'paid' ? 'Paid' : 'Declared void'} {dateTimeText(settledAt)}
      {paymentReference !== undefined && <span className="wrap-anywhere"> by {paymentReference}</span>}
    </p>
  );
}
