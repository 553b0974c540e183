import { type Delivery, NOTICE_TYPES, OPERATIONS, type PushSubscription } from '@skyrun/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { makeIdempotencyKey } from '../../api/idempotency.ts';
import { fieldMessage } from '../../api/problems.ts';
import { useAction, useRowAction } from '../../api/use-action.ts';
import { Ago } from '../../components/ago.tsx';
import { Button } from '../../components/button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { TextField } from '../../components/field.tsx';
import { ListState } from '../../components/list-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { Pill, type Tone } from '../../components/pill.tsx';
import { ProblemNotice } from '../../components/problem-notice.tsx';
import { useMay } from '../../shell/permissions.ts';
import { billingKeys, webhooksQuery } from '../queries.ts';

/** Webhooks are push subscriptions to billing's notices: signed, tried again, with a log of deliveries. */
export function Webhooks({ project }: { project: string }) {
  const list = useQuery(webhooksQuery(useApi(), project));
  const webhooks = list.data;
  const writes = useMay(project)('services.write');
  return (
    <Panel
      title="Webhooks"
      note="The same notices as signed CloudEvents over HTTP; tried again until the destination takes them."
      flush
    >
      <ListState
        list={list}
        items={webhooks}
        rows={1}
        empty={<p className="px-4 pt-4 text-ink-2">No webhook gets billing’s notices yet.</p>}
      />
      {webhooks !== undefined && webhooks.length > 0 && (
        <ul aria-label="Webhooks">
          {webhooks.map(({ subscription, deliveries }) => (
            <Webhook
              key={subscription.id}
              project={project}
              subscription={subscription}
              deliveries={deliveries}
              writes={writes}
            />
          ))}
        </ul>
      )}
      {writes && webhooks !== undefined && <AddWebhook project={project} />}
    </Panel>
  );
}

const TONES: Readonly<Record<Delivery['state'], Tone>> = {
  waiting: 'accent',
  delivered: 'ok',
  refused: 'bad',
  dead: 'bad',
};

interface WebhookProps {
  readonly project: string;
  readonly subscription: PushSubscription;
  readonly deliveries: readonly Delivery[];
  readonly writes: boolean;
}

function Webhook({ project, subscription, deliveries, writes }: WebhookProps) {
  const api = useApi();
  const queries = useQueryClient();
  const { busy, run: remove } = useRowAction('The webhook was not removed', async () => {
    await api.call(OPERATIONS.deleteSubscription, { params: { project, subscription: subscription.id } });
    toast(`Nothing is sent to ${subscription.destination} any more.`);
    await queries.invalidateQueries({ queryKey: billingKeys.webhooks(project) });
  });
  return (
    <li className="border-b border-line px-4 py-3">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        <span className="min-w-0 flex-1 basis-64">
          <span className="block truncate font-medium">{subscription.destination}</span>
          <span className="block text-xs text-ink-3">{subscription.name}</span>
        </span>
        {subscription.paused && <Pill tone="warn">Paused</Pill>}
        {writes && (
          <Button size="sm" busy={busy} aria-label={`Remove ${subscription.name}`} onClick={remove}>
            Remove
          </Button>
        )}
      </div>
      {deliveries.length > 0 && (
        <ul aria-label={`Deliveries of ${subscription.name}`} className="mt-2 flex flex-col gap-1.5">
          {deliveries.map((delivery) => (
            <li key={delivery.id} className="flex flex-wrap items-center gap-3 text-[0.8125rem]">
              <Pill tone={TONES[delivery.state]} moving={delivery.state === 'waiting'}>
                {delivery.state}
              </Pill>
              <span className="min-w-0 flex-1 truncate font-mono text-xs text-ink-2">{delivery.event.type}</span>
              <span className="text-ink-3">{outcome(delivery)}</span>
              <span className="text-ink-3">
                <Ago time={delivery.createdAt} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </li>
  );
}

function outcome({ attempts, history }: Delivery): string {
  const last = history.at(-1);
  const said = last === undefined ? '' : (last.error ?? `answered ${last.status ?? ''}`);
  return attempts > 1 ? `${said} (attempt ${attempts})` : said;
}

function AddWebhook({ project }: { project: string }) {
  const api = useApi();
  const queries = useQueryClient();
  const [destination, setDestination] = useState('');
  const [secret, setSecret] = useState<string | null>(null);
  const [key, setKey] = useState(makeIdempotencyKey);

  const { busy, problem, submit } = useAction(async () => {
    const made = await api.call(OPERATIONS.createSubscription, {
      params: { project },
      body: {
        name: `billing-${key.slice(-8)}`,
        destination: destination.trim(),
        filter: { types: [...NOTICE_TYPES], subject: '', attributes: {} },
      },
      headers: { 'idempotency-key': key },
    });
    setSecret(made.secret);
    setDestination('');
    setKey(makeIdempotencyKey());
    await queries.invalidateQueries({ queryKey: billingKeys.webhooks(project) });
  });

  const destinationError = fieldMessage(problem, '/destination');
  return (
    <div className="flex flex-col gap-3 p-4">
      <form onSubmit={submit} className="flex flex-wrap items-start gap-3" noValidate>
        <TextField
          label="Webhook URL"
          type="url"
          placeholder="https://example.com/hooks/billing"
          className="min-w-60 flex-1"
          value={destination}
          error={destinationError}
          onChange={(event) => setDestination(event.target.value)}
        />
        <Button type="submit" className="sm:mt-6.5" busy={busy}>
          Add webhook
        </Button>
      </form>
      {problem !== null && destinationError === undefined && <ProblemNotice error={problem} />}
      {secret !== null && (
        <div role="status" className="flex flex-wrap items-center gap-3 rounded-xl bg-ok-soft p-4 text-ok-ink">
          <span className="min-w-0 flex-1">
            Check signatures with this secret; it is shown once:{' '}
            <code className="font-mono text-xs break-all">{secret}</code>
          </span>
          <CopyButton text={secret} label="Copy the secret" />
        </div>
      )}
    </div>
  );
}
