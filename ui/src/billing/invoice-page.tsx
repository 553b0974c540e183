import { useQuery } from '@tanstack/react-query';
import { Link, useParams } from '@tanstack/react-router';
import { ArrowLeft } from 'lucide-react';
import { useApi } from '../api/context.ts';
import { invoiceQuery } from '../api/queries.ts';
import { Page } from '../components/page.tsx';
import { Panel } from '../components/panel.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Skeleton } from '../components/skeleton.tsx';
import { dateTimeText } from '../format/time.ts';
import { useProjectName } from '../shell/place.ts';
import { CostLines } from './cost-lines.tsx';
import { InvoiceActions } from './invoice-actions.tsx';
import { InvoiceState } from './invoice-state.tsx';
import { Totals } from './totals.tsx';

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
          to="/projects/$project/billing"
          params={{ project }}
          className="mb-1 inline-flex items-center gap-1 text-[0.8125rem] text-ink-3 hover:text-ink"
        >
          <ArrowLeft aria-hidden className="size-3.5" />
          Billing
        </Link>
      }
      subtitle={
        invoice && (
          <span className="figures">
            {dateTimeText(invoice.periodStart)} – {dateTimeText(invoice.periodEnd)} · price list {invoice.priceList}
          </span>
        )
      }
      actions={invoice && <InvoiceState state={invoice.state} />}
    >
      {error !== null && invoice === undefined && <ProblemNotice error={error} onRetry={refetch} />}
      {invoice === undefined && error === null && <Skeleton className="h-80 rounded-xl" />}
      {invoice !== undefined && (
        <>
          <InvoiceActions invoice={invoice} />
          <CostLines title="Lines" lines={invoice.lines} currency={invoice.currency} />
          <Panel>
            <Totals {...invoice} />
          </Panel>
          <p className="text-xs text-ink-3">
            {invoice.lines.reduce((sum, line) => sum + line.usageRows, 0)} usage records went into this invoice. Made{' '}
            {dateTimeText(invoice.createdAt)}; it does not change any more.
          </p>
        </>
      )}
    </Page>
  );
}
