import { type Invoice, OPERATIONS } from '@skyrun/contracts';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { DueAmount } from './due-amount.tsx';
import { useSettled } from './use-settled.ts';

export function VoidDialog({ invoice, onClose }: { invoice: Invoice; onClose: () => void }) {
  const api = useApi();
  const settled = useSettled(invoice);
  const { busy, problem, run } = useAction(async () => {
    await api.call(OPERATIONS.voidInvoice, { params: { project: invoice.project, invoiceId: invoice.id } });
    toast(`${invoice.number} is void.`);
    await settled();
    onClose();
  });
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`Declare ${invoice.number} void?`}
      description="Nothing is due on it any more, and its usage is not billed again. This cannot be taken back."
    >
      <div className="flex flex-col gap-4">
        <DueAmount invoice={invoice} />
        {problem !== null && <ProblemNotice error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button tone="danger" busy={busy} onClick={run}>
            Declare void
          </Button>
        </div>
      </div>
    </Dialog>
  );
}
