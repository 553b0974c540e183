import { type BillingMail, OPERATIONS } from '@skyrun/contracts';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Mail } from 'lucide-react';
import { useApi } from '../../api/context.ts';
import { useRowAction } from '../../api/use-action.ts';
import { Ago } from '../../components/ago.tsx';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListState } from '../../components/list-state.tsx';
import { MoreButton } from '../../components/more-button.tsx';
import { Panel } from '../../components/panel.tsx';
import { Pill, type Tone } from '../../components/pill.tsx';
import { useMay } from '../../shell/permissions.ts';
import { billingKeys, mailsQuery } from '../queries.ts';

const LOOK: Readonly<Record<BillingMail['state'], { tone: Tone; says: string }>> = {
  queued: { tone: 'accent', says: 'On its way' },
  sent: { tone: 'ok', says: 'Sent' },
  failed: { tone: 'bad', says: 'Failed' },
};

/** Mails with what became of them. */
export function MailList({ project }: { project: string }) {
  const list = useInfiniteQuery(mailsQuery(useApi(), project));
  const manages = useMay(project)('billing.manage');
  const mails = list.data?.pages.flatMap((page) => page.items);
  return (
    <Panel title="Mails" note="“Sent” means that the mail server took it." flush>
      <ListState
        list={list}
        items={mails}
        rows={2}
        empty={
          <EmptyState icon={Mail} title="No mail yet">
            Mails appear here with what became of them; “Send a test” makes one now.
          </EmptyState>
        }
      />
      {mails !== undefined && mails.length > 0 && (
        <ul aria-label="Mails">
          {mails.map((mail) => (
            <li
              key={mail.id}
              className="flex flex-wrap items-center gap-x-4 gap-y-1 border-b border-line px-4 py-3 last:border-0"
            >
              <MailState mail={mail} />
              <span className="min-w-0 flex-1 basis-64">
                <span className="block truncate font-medium">{mail.subject}</span>
                <span className="block truncate text-xs text-ink-3">
                  to {mail.recipient}
                  {mail.attempts > 1 && `, ${mail.attempts} attempts`}
                </span>
                {mail.error !== null && <span className="block text-xs break-words text-bad-ink">{mail.error}</span>}
              </span>
              <span className="text-[0.8125rem] text-ink-3">
                <Ago time={mail.sentAt ?? mail.createdAt} />
              </span>
              {mail.state === 'failed' && manages && <Retry mail={mail} />}
            </li>
          ))}
        </ul>
      )}
      <MoreButton list={list} label="Older mails" />
    </Panel>
  );
}

/** A mail that the server refused waits for its next attempt. */
function MailState({ mail: { state, attempts } }: { mail: BillingMail }) {
  if (state === 'queued' && attempts > 0) return <Pill tone="warn">To be tried again</Pill>;
  return (
    <Pill tone={LOOK[state].tone} moving={state === 'queued'}>
      {LOOK[state].says}
    </Pill>
  );
}

function Retry({ mail }: { mail: BillingMail }) {
  const api = useApi();
  const queries = useQueryClient();
  const { busy, run } = useRowAction('The mail was not tried again', async () => {
    try {
      await api.call(OPERATIONS.retryBillingMail, { params: { project: mail.project, mailId: mail.id } });
    } finally {
      await queries.invalidateQueries({ queryKey: billingKeys.mails(mail.project) });
    }
  });
  return (
    <Button size="sm" busy={busy} aria-label={`Retry the mail to ${mail.recipient}`} onClick={run}>
      Retry
    </Button>
  );
}
