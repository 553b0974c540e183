import type { Invoice } from '@skyrun/contracts';
import { useState } from 'react';
import { useUser } from '../../api/context.ts';
import { Button } from '../../components/button.tsx';
import { CreditNoteDialog } from './credit-note-dialog.tsx';
import { PaymentDialog } from './payment-dialog.tsx';
import { VoidDialog } from './void-dialog.tsx';

/** What the operator can still do to an invoice: record its payment, take a part of it back, declare it void. */
export function SettleButtons({ invoice }: { invoice: Invoice }) {
  const admin = useUser()?.admin === true;
  const [doing, setDoing] = useState<'paid' | 'void' | 'credit' | null>(null);
  if (!admin || invoice.state === 'void' || invoice.state === 'draft') return null;
  const close = () => setDoing(null);
  return (
    <>
      {invoice.state === 'open' && (
        <>
          <Button tone="solid" onClick={() => setDoing('paid')}>
            Record payment
          </Button>
          <Button onClick={() => setDoing('void')}>Declare void</Button>
        </>
      )}
      <Button onClick={() => setDoing('credit')}>Credit note</Button>
      {doing === 'paid' && <PaymentDialog invoice={invoice} onClose={close} />}
      {doing === 'void' && <VoidDialog invoice={invoice} onClose={close} />}
      {doing === 'credit' && <CreditNoteDialog invoice={invoice} onClose={close} />}
    </>
  );
}
