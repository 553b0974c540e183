import { type CreditNote, OPERATIONS } from '@skyrun/contracts';
import { FileDown } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { toProblem } from '../../api/problems.ts';
import { Button } from '../../components/button.tsx';
import { saveFile } from './save-file.ts';

export function CreditNoteDownload({ note }: { note: CreditNote }) {
  const api = useApi();
  const [busy, setBusy] = useState(false);
  async function download() {
    setBusy(true);
    try {
      const params = { project: note.project, creditNoteId: note.id };
      saveFile(await api.file(OPERATIONS.getCreditNotePdf, { params }), `${note.number}.pdf`);
    } catch (error) {
      const { title, detail } = toProblem(error);
      toast.error(`${note.number} was not downloaded: ${detail ?? title}`);
    } finally {
      setBusy(false);
    }
  }
  return (
    <Button size="sm" busy={busy} aria-label={`Download ${note.number} as PDF`} onClick={() => void download()}>
      <FileDown aria-hidden />
      PDF
    </Button>
  );
}
