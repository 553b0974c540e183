import { type Invoice, OPERATIONS } from '@skyrun/contracts';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { fieldMessage } from '../../api/problems.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { DueAmount } from './due-amount.tsx';
import { useSettled } from './use-settled.ts';

export function PaymentDialog({ invoice, onClose }: { invoice: Invoice; onClose: () => void }) {
  const api = useApi();
  const settled = useSettled(invoice);
  const [reference, setReference] = useState('');
  const { busy, problem, submit } = useAction(async () => {
    await api.call(OPERATIONS.payInvoice, {
      params: { project: invoice.project, invoiceId: invoice.id },
      body: { reference: reference.trim() },
    });
    toast(`${invoice.number} is paid.`);
    await settled();
    onClose();
  });
  const referenceError = fieldMessage(problem, '/reference');
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`Record the payment of ${invoice.number}`}
      description="The ledger moves what is due from receivable to cash. This cannot be taken back."
    >
      <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
        <DueAmount invoice={invoice} />
        <TextField
          label="Reference"
          value={reference}
          error={referenceError}
          hint="What the payment is known by where it came in, e.g. the number of a transfer."
          autoComplete="off"
          onChange={(event) => setReference(event.target.value)}
        />
        {problem !== null && referenceError === undefined && <ProblemNotice error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="solid" busy={busy}>
            Record payment
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
