import type { Invoice } from '@skyrun/contracts';
import { Pill, type Tone } from '../../components/pill.tsx';

const LOOK: Readonly<Record<Invoice['state'], { tone: Tone; says: string }>> = {
  draft: { tone: 'muted', says: 'Draft' },
  open: { tone: 'accent', says: 'Open' },
  paid: { tone: 'ok', says: 'Paid' },
  void: { tone: 'warn', says: 'Void' },
};

export function InvoiceState({ state }: { state: Invoice['state'] }) {
  const { tone, says } = LOOK[state];
  return <Pill tone={tone}>{says}</Pill>;
}
