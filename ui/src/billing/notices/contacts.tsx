import { type BillingContacts, OPERATIONS } from '@skyrun/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { useAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { TextField } from '../../components/field.tsx';
import { Panel } from '../../components/panel.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { useMay } from '../../shell/permissions.ts';
import { billingKeys, contactsQuery } from '../queries.ts';

export function Contacts({ project }: { project: string }) {
  const { data, error, refetch } = useQuery(contactsQuery(useApi(), project));
  if (data === undefined) {
    return error === null ? (
      <Skeleton className="h-44 rounded-xl" />
    ) : (
      <ProblemNotice error={error} onRetry={refetch} />
    );
  }
  return <ContactsPanel contacts={data} />;
}

function ContactsPanel({ contacts: { project, emails, mailServer } }: { contacts: BillingContacts }) {
  const api = useApi();
  const queries = useQueryClient();
  const manages = useMay(project)('billing.manage');
  const [email, setEmail] = useState('');
  const save = useAction(async (next: readonly string[], done: string) => {
    const body = { emails: [...next] };
    const saved = await api.call(OPERATIONS.replaceBillingContacts, { params: { project }, body });
    queries.setQueryData(billingKeys.contacts(project), saved);
    setEmail('');
    toast(done);
  });
  const test = useAction(async () => {
    await api.call(OPERATIONS.sendTestMail, { params: { project } });
    await queries.invalidateQueries({ queryKey: billingKeys.mails(project) });
  });
  const problem = save.problem ?? test.problem;
  const emailError = save.problem?.errors.find(({ field }) => field.startsWith('/emails'))?.message;
  return (
    <Panel
      title="Mail"
      note="Alerts of budgets, the hard cap, and invoices when they are made."
      actions={
        manages &&
        emails.length > 0 && (
          <Button size="sm" busy={test.busy} onClick={test.run}>
            Send a test
          </Button>
        )
      }
    >
      <div className="flex flex-col gap-4">
        {!mailServer && (
          <p role="status" className="rounded-xl bg-warn-soft p-4 text-warn-ink">
            This installation has no mail server, so no mail goes out. An operator sets{' '}
            <code className="font-mono text-xs">SKYRUN_SMTP_URL</code>.
          </p>
        )}
        {emails.length === 0 && <p className="text-ink-2">Nobody is mailed yet.</p>}
        {emails.length > 0 && (
          <ul aria-label="Billing contacts" className="flex flex-col">
            {emails.map((one) => (
              <li key={one} className="flex items-center gap-3 border-b border-line py-2 last:border-0">
                <span className="min-w-0 flex-1 truncate font-medium">{one}</span>
                {manages && (
                  <Button
                    size="sm"
                    aria-label={`Remove ${one}`}
                    disabled={save.busy}
                    onClick={() =>
                      save.run(
                        emails.filter((other) => other !== one),
                        `${one} is not mailed any more.`,
                      )
                    }
                  >
                    Remove
                  </Button>
                )}
              </li>
            ))}
          </ul>
        )}
        {manages && (
          <form
            onSubmit={(event) =>
              save.submit(event, [...emails, email.trim()], `${email.trim()} is mailed from now on.`)
            }
            className="flex flex-wrap items-start gap-3"
            noValidate
          >
            <TextField
              label="E-mail of a billing contact"
              type="email"
              className="min-w-60 flex-1"
              value={email}
              error={emailError}
              onChange={(event) => setEmail(event.target.value)}
            />
            <Button type="submit" tone="solid" className="sm:mt-6.5" busy={save.busy}>
              Add contact
            </Button>
          </form>
        )}
        {problem !== null && emailError === undefined && <ProblemNotice error={problem} />}
      </div>
    </Panel>
  );
}
