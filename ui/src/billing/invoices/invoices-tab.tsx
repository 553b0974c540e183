import { useProjectName } from '../../shell/place.ts';
import { CreditNoteList } from './credit-note-list.tsx';
import { InvoiceList } from './invoice-list.tsx';

export function InvoicesTab() {
  const project = useProjectName();
  return (
    <>
      <InvoiceList project={project} />
      <CreditNoteList project={project} />
    </>
  );
}
