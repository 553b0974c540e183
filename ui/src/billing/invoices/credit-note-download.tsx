import { type CreditNote, OPERATIONS } from '@skyrun/contracts';
import { FileDown } from 'lucide-react';
import { useApi } from '../../api/context.ts';
import { useRowAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { saveFile } from './save-file.ts';

export function CreditNoteDownload({ note }: { note: CreditNote }) {
  const api = useApi();
  const { busy, run } = useRowAction(`${note.number} was not downloaded`, async () => {
    const params = { project: note.project, creditNoteId: note.id };
    saveFile(await api.file(OPERATIONS.getCreditNotePdf, { params }), `${note.number}.pdf`);
  });
  return (
    <Button size="sm" busy={busy} aria-label={`Download ${note.number} as PDF`} onClick={run}>
      <FileDown aria-hidden />
      PDF
    </Button>
  );
}
