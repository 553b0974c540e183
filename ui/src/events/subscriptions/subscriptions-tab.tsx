import { OPERATIONS, type PushSubscription } from '@skyrun/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { ChevronRight, Webhook } from 'lucide-react';
import { type ReactNode, useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { useRowAction } from '../../api/use-action.ts';
import { Button } from '../../components/button.tsx';
import { classNames } from '../../components/class-names.ts';
import { ConfirmDialog } from '../../components/confirm-dialog.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListState } from '../../components/list-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { Pill } from '../../components/pill.tsx';
import { useMay } from '../../shell/permissions.ts';
import { useProjectName } from '../../shell/place.ts';
import { eventKeys, subscriptionsQuery } from '../queries.ts';
import { CreateSubscription } from './create-subscription.tsx';
import { DeliveryLog } from './delivery-log.tsx';
import { ReplayDialog } from './replay-dialog.tsx';
import { SecretDialog } from './secret-dialog.tsx';

export function SubscriptionsTab() {
  const project = useProjectName();
  const list = useQuery(subscriptionsQuery(useApi(), project));
  const items = list.data;
  const writes = useMay(project)('services.write');
  const [creating, setCreating] = useState(false);
  const [secret, setSecret] = useState<string | null>(null);
  const [chosen, setChosen] = useState<string | null>(null);
  const current = items?.find(({ id }) => id === chosen) ?? items?.[0];
  const create = writes && (
    <Button tone="solid" size="sm" onClick={() => setCreating(true)}>
      New subscription
    </Button>
  );
  return (
    <div className="flex flex-col gap-4">
      <Panel title="Push subscriptions" note="Events sent to a URL, at least once" actions={create} flush>
        <ListState
          list={list}
          items={items}
          rows={2}
          empty={
            <EmptyState
              icon={Webhook}
              title="Nothing is sent anywhere"
              command={`./skyrun events subscriptions create NAME https://example.com/events --project ${project}`}
            >
              A subscription sends the events that its filter takes to your URL, signed, and tries until it has them.
            </EmptyState>
          }
        />
        <ul aria-label="Subscriptions">
          {items?.map((item) => (
            <SubscriptionRow
              key={item.id}
              item={item}
              current={item.id === current?.id}
              onChoose={() => setChosen(item.id)}
            />
          ))}
        </ul>
      </Panel>
      {current !== undefined && (
        <Details key={current.id} project={project} item={current} writes={writes} onSecret={setSecret} />
      )}
      {creating && (
        <CreateSubscription
          project={project}
          onClose={() => setCreating(false)}
          onMade={(made) => {
            setCreating(false);
            setSecret(made);
          }}
        />
      )}
      {secret !== null && <SecretDialog secret={secret} onClose={() => setSecret(null)} />}
    </div>
  );
}

function stateOf({ paused, circuit }: PushSubscription) {
  if (paused) return <Pill tone="muted">paused</Pill>;
  if (circuit === 'open') return <Pill tone="bad">circuit open</Pill>;
  if (circuit === 'half-open') return <Pill tone="warn">trying again</Pill>;
  return <Pill tone="ok">sending</Pill>;
}

function SubscriptionRow(props: { item: PushSubscription; current: boolean; onChoose: () => void }) {
  const { item, current, onChoose } = props;
  return (
    <li className="border-b border-line last:border-0">
      <button
        type="button"
        aria-pressed={current}
        onClick={onChoose}
        className={classNames(
          'flex w-full flex-wrap items-center gap-x-3 gap-y-1 px-4 py-3 text-left -outline-offset-2 hover:bg-hover/60',
          current && 'bg-hover/70 shadow-[inset_2px_0_0_var(--accent)]',
        )}
      >
        <span className="font-medium">{item.name}</span>
        {stateOf(item)}
        <span className="min-w-0 flex-1 truncate text-right font-mono text-xs text-ink-3">{item.destination}</span>
        <ChevronRight aria-hidden className="size-4 text-ink-3" />
      </button>
    </li>
  );
}

interface DetailsProps {
  readonly project: string;
  readonly item: PushSubscription;
  readonly writes: boolean;
  readonly onSecret: (secret: string) => void;
}

function Details({ project, item, writes, onSecret }: DetailsProps) {
  const api = useApi();
  const queries = useQueryClient();
  const [asking, setAsking] = useState<'replay' | 'delete' | 'rotate' | null>(null);
  const params = { project, subscription: item.id };

  const refresh = () => queries.invalidateQueries({ queryKey: eventKeys.subscriptions(project) });
  const test = useRowAction('The test event was not sent', async () => {
    const { state, history } = await api.call(OPERATIONS.testSubscription, { params });
    const said = history[0]?.status ?? history[0]?.error ?? 'nothing';
    if (state === 'delivered') toast.success(`The destination answered ${said}.`);
    else toast.error(`The test was not taken: ${said}.`);
    await refresh();
  });
  const pause = useRowAction(`${item.name} was not changed`, async () => {
    await api.call(OPERATIONS.updateSubscription, { params, body: { paused: !item.paused } });
    await refresh();
  });

  return (
    <>
      <Panel
        title={item.name}
        note={item.destination}
        actions={
          writes && (
            <div className="flex flex-wrap gap-2">
              <Button size="sm" tone="solid" busy={test.busy} onClick={test.run}>
                Send test event
              </Button>
              <Button size="sm" busy={pause.busy} onClick={pause.run}>
                {item.paused ? 'Go on' : 'Pause'}
              </Button>
              <Button size="sm" onClick={() => setAsking('replay')}>
                Replay
              </Button>
              <Button size="sm" onClick={() => setAsking('rotate')}>
                Rotate secret
              </Button>
              <Button size="sm" onClick={() => setAsking('delete')}>
                Delete
              </Button>
            </div>
          )
        }
      >
        <dl className="grid gap-x-8 gap-y-3 text-[0.8125rem] sm:grid-cols-2 lg:grid-cols-3">
          <Fact name="Types">{item.filter.types.length === 0 ? 'every type' : item.filter.types.join(', ')}</Fact>
          <Fact name="Subject">{item.filter.subject === '' ? 'every subject' : `${item.filter.subject}…`}</Fact>
          <Fact name="Attributes">
            {Object.entries(item.filter.attributes)
              .map(([name, value]) => `${name} = ${value}`)
              .join(', ') || 'none asked for'}
          </Fact>
          {item.filter.sql !== '' && (
            <Fact name="Expression">
              <code className="font-mono text-xs break-all">{item.filter.sql}</code>
            </Fact>
          )}
          <Fact name="Mode">{item.mode}</Fact>
          <Fact name="Tries">{item.maxAttempts} at most, then it is dead</Fact>
          <Fact name="Secrets">{item.secrets.length === 2 ? 'two valid, while they are exchanged' : 'one'}</Fact>
        </dl>
      </Panel>
      <DeliveryLog project={project} subscription={item.id} writes={writes} />
      {asking === 'replay' && <ReplayDialog project={project} subscription={item.id} onClose={() => setAsking(null)} />}
      {asking === 'delete' && (
        <ConfirmDialog
          title={`Delete ${item.name}?`}
          description="Nothing more is sent, and what waits is forgotten."
          action="Delete subscription"
          onConfirm={async () => {
            await api.call(OPERATIONS.deleteSubscription, { params });
            toast(`${item.name} was deleted.`);
            await refresh();
          }}
          onClose={() => setAsking(null)}
        />
      )}
      {asking === 'rotate' && (
        <ConfirmDialog
          title="Rotate the signing secret?"
          description="The one before stays valid until the next rotation, so your receiver can change over in its own time."
          action="Rotate"
          tone="solid"
          onConfirm={async () => {
            const { secret } = await api.call(OPERATIONS.rotateSubscriptionSecret, { params });
            await refresh();
            onSecret(secret);
          }}
          onClose={() => setAsking(null)}
        />
      )}
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="text-ink-3">{name}</dt>
      <dd className="mt-0.5 break-words">{children}</dd>
    </div>
  );
}
