import { OPERATIONS } from '@skyrun/contracts';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { MailCheck } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { useAction, useRowAction } from '../../api/use-action.ts';
import { Ago } from '../../components/ago.tsx';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { TextField } from '../../components/field.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { ListState } from '../../components/list-state.tsx';
import { MoreButton } from '../../components/more-button.tsx';
import { Panel } from '../../components/panel.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { ScrollRegion } from '../../components/scroll-region.tsx';
import { deadLettersQuery, eventKeys } from '../queries.ts';

/** One group's dead letters: look, hand over again, drop for a reason. */
export function LetterList({ group }: { group: string }) {
  const api = useApi();
  const queries = useQueryClient();
  const list = useInfiniteQuery(deadLettersQuery(api, group));
  const [discarding, setDiscarding] = useState<string | null>(null);
  const letters = list.data?.pages.flatMap((page) => page.items);

  const { busy, run: replay } = useRowAction('Nothing was handed over again', async (ids: 'all' | string[]) => {
    const { replayed } = await api.call(OPERATIONS.replayDeadLetters, { params: { group }, body: { ids } });
    toast(`Handed to ${group} again: ${replayed}.`);
    await queries.invalidateQueries({ queryKey: eventKeys.deadLetters });
  });

  return (
    <Panel
      title={`Dead letters of ${group}`}
      note="Oldest first; handed over again as they are"
      flush
      actions={
        letters !== undefined &&
        letters.length > 0 && (
          <Button size="sm" tone="solid" busy={busy} onClick={() => replay('all')}>
            Replay all
          </Button>
        )
      }
    >
      <ListState
        list={list}
        items={letters}
        rows={3}
        empty={
          <EmptyState icon={MailCheck} title="Nothing is dead here">
            {group} handles what it gets.
          </EmptyState>
        }
      />
      <ul aria-label={`Dead letters of ${group}`}>
        {letters?.map((letter) => (
          <li key={letter.id} className="border-b border-line last:border-0">
            <details>
              <summary className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 -outline-offset-2 hover:bg-hover/50">
                <code className="font-mono text-xs">{letter.event?.type ?? 'malformed'}</code>
                <span className="min-w-0 flex-1 basis-60 truncate text-bad-ink">{letter.error}</span>
                <span className="figures text-[0.8125rem] text-ink-3">{letter.attempts} tries</span>
                {letter.deadAt !== '' && (
                  <Ago time={letter.deadAt} className="ml-auto w-24 text-right text-[0.8125rem] text-ink-3" />
                )}
              </summary>
              <div className="flex flex-col gap-3 px-4 pt-1 pb-4">
                <div className="flex gap-2">
                  <Button size="sm" busy={busy} onClick={() => replay([letter.id])}>
                    Replay
                  </Button>
                  <Button size="sm" onClick={() => setDiscarding(letter.id)}>
                    Discard…
                  </Button>
                </div>
                {letter.stack.length > 0 && (
                  <ScrollRegion label="Stack" className="max-h-56 overflow-auto rounded-lg bg-bad-soft p-3">
                    <pre className="font-mono text-xs leading-5 text-bad-ink">
                      {[letter.error, ...letter.stack.map((line) => `  ${line}`)].join('\n')}
                    </pre>
                  </ScrollRegion>
                )}
                <JsonView value={letter.event ?? letter.body} label="What lay on the broker" />
              </div>
            </details>
          </li>
        ))}
      </ul>
      <MoreButton list={list} label="Show newer" />
      {discarding !== null && <DiscardDialog group={group} letter={discarding} onClose={() => setDiscarding(null)} />}
    </Panel>
  );
}

function DiscardDialog({ group, letter, onClose }: { group: string; letter: string; onClose: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  const [reason, setReason] = useState('');
  const { busy, problem, submit } = useAction(async () => {
    const body = { ids: [letter], reason: reason.trim() };
    await api.call(OPERATIONS.discardDeadLetters, { params: { group }, body });
    toast('Dropped; the reason is in the log.');
    await queries.invalidateQueries({ queryKey: eventKeys.deadLetters });
    onClose();
  });
  return (
    <Dialog open onOpenChange={onClose} title="Discard this event?" description="The group never gets it. Say why.">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField
          label="Reason"
          required
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          autoFocus
        />
        {problem !== null && <ProblemNotice error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Keep</Button>
          <Button type="submit" tone="danger" busy={busy} disabled={reason.trim() === ''}>
            Discard
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
