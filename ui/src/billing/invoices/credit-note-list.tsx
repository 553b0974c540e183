import { useInfiniteQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { FileMinus2 } from 'lucide-react';
import { useApi } from '../../api/context.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListState } from '../../components/list-state.tsx';
import { Money } from '../../components/money.tsx';
import { MoreButton } from '../../components/more-button.tsx';
import { Panel } from '../../components/panel.tsx';
import { Pill } from '../../components/pill.tsx';
import { dateText } from '../../format/time.ts';
import { creditNotesQuery } from '../queries.ts';
import { CreditNoteDownload } from './credit-note-download.tsx';

/** Credit notes of the project, or of one invoice. */
export function CreditNoteList({ project, invoiceId }: { project: string; invoiceId?: string }) {
  const list = useInfiniteQuery(creditNotesQuery(useApi(), project));
  const notes = list.data?.pages
    .flatMap((page) => page.items)
    .filter((note) => invoiceId === undefined || note.invoiceId === invoiceId);
  if (invoiceId !== undefined && (notes === undefined || notes.length === 0)) return null;
  return (
    <Panel title="Credit notes" flush>
      <ListState
        list={list}
        items={notes}
        rows={1}
        empty={
          <EmptyState icon={FileMinus2} title="No credit note">
            An invoice never changes once it is made; a credit note, made on the invoice’s page, takes back a part of
            it.
          </EmptyState>
        }
      />
      {notes !== undefined && notes.length > 0 && (
        <ul aria-label="Credit notes">
          {notes.map((note) => (
            <li
              key={note.id}
              className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-4 py-3 last:border-0"
            >
              <span className="font-semibold">{note.number}</span>
              {note.refundable && <Pill tone="warn">To be refunded</Pill>}
              <span className="min-w-0 flex-1 basis-48 truncate text-ink-2" title={note.reason}>
                {note.reason}
              </span>
              {invoiceId === undefined && (
                <Link
                  to="/projects/$project/billing/$invoiceId"
                  params={{ project, invoiceId: note.invoiceId }}
                  className="text-[0.8125rem] text-accent-ink underline-offset-4 hover:underline"
                >
                  {note.invoiceNumber}
                </Link>
              )}
              <span className="figures text-[0.8125rem] text-ink-3">{dateText(note.createdAt)}</span>
              <Money amount={`-${note.amount}`} currency={note.currency} className="font-medium" />
              <CreditNoteDownload note={note} />
            </li>
          ))}
        </ul>
      )}
      <MoreButton list={list} label="Older credit notes" />
    </Panel>
  );
}
