import { OPERATIONS } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { Dialog } from '../../components/dialog.tsx';
import { TextField } from '../../components/field.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { eventKeys } from '../queries.ts';

/** Sends the history again, from a time or an event on. */
export function ReplayDialog(props: { project: string; subscription: string; onClose: () => void }) {
  const { project, subscription, onClose } = props;
  const api = useApi();
  const queries = useQueryClient();
  const [since, setSince] = useState('');
  const [eventId, setEventId] = useState('');
  const { busy, problem, submit } = useAction(async () => {
    const params = { project, subscription };
    const { queued, next } =
      eventId.trim() === ''
        ? await api.call(OPERATIONS.replaySubscription, { params, body: { since: new Date(since).toISOString() } })
        : await api.call(OPERATIONS.replaySubscription, { params, body: { eventId: eventId.trim() } });
    toast(next === null ? `${queued} events are sent again.` : `${queued} events are sent again; go on from ${next}.`);
    await queries.invalidateQueries({ queryKey: eventKeys.deliveries(project, subscription) });
    onClose();
  });

  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Send the history again"
      description="What the filter takes is sent once more, from a time or from an event on. Receivers know repeats by their id."
    >
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField
          label="From a time"
          type="datetime-local"
          value={since}
          disabled={eventId.trim() !== ''}
          required={eventId.trim() === ''}
          onChange={(event) => setSince(event.target.value)}
        />
        <TextField
          label="Or from an event"
          placeholder="evt_…"
          value={eventId}
          onChange={(event) => setEventId(event.target.value)}
        />
        {problem !== null && <ProblemNotice error={problem} />}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="solid" busy={busy}>
            Send again
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
