import { OPERATIONS } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { makeIdempotencyKey } from '../../api/idempotency.ts';
import { keys } from '../../api/queries.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { moneyText } from '../../format/money.ts';

/** Closes the open period after a confirmation and goes to the invoice. */
export function ClosePeriod({ project, children }: { project: string; children: ReactNode }) {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [open, setOpen] = useState(false);
  // One per opening of the dialog: confirming again after a lost answer closes once.
  const [key, setKey] = useState('');

  const { busy, problem, run, clear } = useAction(async () => {
    const invoice = await api.call(OPERATIONS.closePeriod, {
      params: { project },
      body: {},
      headers: { 'idempotency-key': key },
    });
    toast(`Invoice ${invoice.number} over ${moneyText(invoice.total, invoice.currency)} was made.`);
    void queries.invalidateQueries({ queryKey: keys.invoices(project) });
    void queries.invalidateQueries({ queryKey: keys.costs(project) });
    await navigate({ to: '/projects/$project/billing/$invoiceId', params: { project, invoiceId: invoice.id } });
  });

  return (
    <>
      <Button
        onClick={() => {
          setKey(makeIdempotencyKey());
          clear();
          setOpen(true);
        }}
      >
        Close period
      </Button>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title="Close the open period?"
        description="Everything used up to now becomes an invoice, which never changes again. The next period starts now; usage that arrives late is billed there."
      >
        <div className="flex flex-col gap-4">
          <div className="flex items-baseline justify-between rounded-xl bg-sunken px-4 py-3">{children}</div>
          {problem !== null && <ProblemNotice error={problem} />}
          <div className="flex justify-end gap-2">
            <Button onClick={() => setOpen(false)}>Keep it open</Button>
            <Button tone="solid" busy={busy} onClick={run}>
              Close period and make invoice
            </Button>
          </div>
        </div>
      </Dialog>
    </>
  );
}
