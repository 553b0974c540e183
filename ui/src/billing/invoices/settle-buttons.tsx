import { type Invoice, OPERATIONS } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi, useUser } from '../../api/context.ts';
import { keys } from '../../api/queries.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { moneyText } from '../../format/money.ts';
import { useMay } from '../../shell/permissions.ts';
import { billingKeys } from '../queries.ts';
import { CreditNoteDialog } from './credit-note-dialog.tsx';

/** What can still happen to an invoice: payment; by the operator also a credit note and being void. */
export function SettleButtons({ invoice }: { invoice: Invoice }) {
  const manages = useMay(invoice.project)('billing.manage');
  const admin = useUser()?.admin === true;
  const [doing, setDoing] = useState<'paid' | 'void' | 'credit' | null>(null);
  if (!manages || invoice.state === 'void' || invoice.state === 'draft') return null;
  return (
    <>
      {invoice.state === 'open' && (
        <Button tone="solid" onClick={() => setDoing('paid')}>
          Record payment
        </Button>
      )}
      {admin && invoice.state === 'open' && <Button onClick={() => setDoing('void')}>Declare void</Button>}
      {admin && <Button onClick={() => setDoing('credit')}>Credit note</Button>}
      {(doing === 'paid' || doing === 'void') && <Settle invoice={invoice} as={doing} onClose={() => setDoing(null)} />}
      {doing === 'credit' && <CreditNoteDialog invoice={invoice} onClose={() => setDoing(null)} />}
    </>
  );
}

const SAYS = {
  paid: {
    operation: OPERATIONS.payInvoice,
    title: 'Record the payment of',
    description: 'The ledger moves what is due from receivable to cash. This cannot be taken back.',
    action: 'Record payment',
    tone: 'solid',
  },
  void: {
    operation: OPERATIONS.voidInvoice,
    title: 'Declare void:',
    description: 'Nothing is due on it any more, and its usage is not billed again. This cannot be taken back.',
    action: 'Declare void',
    tone: 'danger',
  },
} as const;

function Settle({ invoice, as, onClose }: { invoice: Invoice; as: 'paid' | 'void'; onClose: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  const { operation, title, description, action, tone } = SAYS[as];
  const { busy, problem, run } = useAction(async () => {
    await api.call(operation, { params: { project: invoice.project, invoiceId: invoice.id } });
    toast(`${invoice.number} is ${as}.`);
    await Promise.all([
      queries.invalidateQueries({ queryKey: keys.invoices(invoice.project) }),
      queries.invalidateQueries({ queryKey: billingKeys.ledger(invoice.project) }),
    ]);
    onClose();
  });
  return (
    <Dialog open onOpenChange={onClose} title={`${title} ${invoice.number}?`} description={description}>
      <div className="flex flex-col gap-4">
        <p className="flex items-baseline justify-between rounded-xl bg-sunken px-4 py-3">
          <span className="text-ink-2">Due</span>
          <span className="figures text-lg font-semibold">
            {moneyText(invoice.due ?? invoice.total, invoice.currency)}
          </span>
        </p>
        {problem !== null && <ProblemNotice error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button tone={tone} busy={busy} onClick={run}>
            {action}
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
