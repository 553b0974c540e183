import { type Invoice, OPERATIONS } from '@skyrun/contracts';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { makeIdempotencyKey } from '../../api/idempotency.ts';
import { fieldMessage } from '../../api/problems.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { moneyText } from '../../format/money.ts';
import { useSettled } from './use-settled.ts';

export function CreditNoteDialog({ invoice, onClose }: { invoice: Invoice; onClose: () => void }) {
  const api = useApi();
  const settled = useSettled(invoice);
  const [amount, setAmount] = useState('');
  const [reason, setReason] = useState('');
  const [key] = useState(makeIdempotencyKey);
  const { busy, problem, submit } = useAction(async () => {
    const note = await api.call(OPERATIONS.createCreditNote, {
      params: { project: invoice.project, invoiceId: invoice.id },
      body: { reason: reason.trim(), ...(amount.trim() === '' ? {} : { amount: amount.trim().replace(',', '.') }) },
      headers: { 'idempotency-key': key },
    });
    toast(`Credit note ${note.number} over ${moneyText(note.amount, note.currency)} was made.`);
    await settled();
    onClose();
  });
  const amountError =
    fieldMessage(problem, '/amount') ?? (problem?.code === 'billing.credit_too_large' ? problem.detail : undefined);
  const reasonError = fieldMessage(problem, '/reason');
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`Credit note on ${invoice.number}`}
      description="Takes back a part of the invoice, which itself never changes."
    >
      <form onSubmit={submit} className="flex flex-col gap-4" noValidate>
        <TextField
          label="Amount"
          inputMode="decimal"
          value={amount}
          error={amountError}
          hint={`Everything that is left of ${moneyText(invoice.total, invoice.currency)} if empty.`}
          onChange={(event) => setAmount(event.target.value)}
        />
        <TextField
          label="Reason"
          value={reason}
          error={reasonError}
          hint="Printed on the credit note."
          onChange={(event) => setReason(event.target.value)}
        />
        {problem !== null && amountError === undefined && reasonError === undefined && (
          <ProblemNotice error={problem} />
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="solid" busy={busy}>
            Make credit note
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
