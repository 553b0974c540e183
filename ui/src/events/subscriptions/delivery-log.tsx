import { type Delivery, OPERATIONS } from '@skyrun/contracts';
import { useInfiniteQuery, useQueryClient } from '@tanstack/react-query';
import { Inbox } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../../api/context.ts';
import { useRowAction } from '../../api/use-action.ts';
import { Ago } from '../../components/ago.tsx';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { JsonView } from '../../components/json-view.tsx';
import { ListState } from '../../components/list-state.tsx';
import { MoreButton } from '../../components/more-button.tsx';
import { Panel } from '../../components/panel.tsx';
import { Pill, type Tone } from '../../components/pill.tsx';
import { Select } from '../../components/select.tsx';
import { dateTimeText } from '../../format/time.ts';
import { deliveriesQuery, eventKeys } from '../queries.ts';

const TONES: Readonly<Record<Delivery['state'], Tone>> = {
  waiting: 'accent',
  delivered: 'ok',
  refused: 'bad',
  dead: 'bad',
};

const STATES = ['waiting', 'delivered', 'refused', 'dead'] as const;

export function DeliveryLog({
  project,
  subscription,
  writes,
}: {
  project: string;
  subscription: string;
  writes: boolean;
}) {
  const [state, setState] = useState<Delivery['state'] | ''>('');
  const list = useInfiniteQuery(deliveriesQuery(useApi(), project, subscription, state));
  const items = list.data?.pages.flatMap((page) => page.items);
  return (
    <Panel
      title="Delivery log"
      note="Delivered ones are kept 7 days, refused and dead ones 30"
      flush
      actions={
        <Select
          aria-label="State"
          className="w-36"
          value={state}
          onChange={({ target }) => setState(STATES.find((one) => one === target.value) ?? '')}
        >
          <option value="">Every state</option>
          {STATES.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </Select>
      }
    >
      <ListState
        list={list}
        items={items}
        rows={3}
        empty={
          <EmptyState icon={Inbox} title="Nothing was sent">
            {state === ''
              ? 'Send a test event, or replay the history from a time on.'
              : 'No delivery is in this state.'}
          </EmptyState>
        }
      />
      <ul aria-label="Deliveries">
        {items?.map((delivery) => (
          <DeliveryRow key={delivery.id} {...{ project, subscription, delivery, writes }} />
        ))}
      </ul>
      <MoreButton list={list} label="Show older" />
    </Panel>
  );
}

interface DeliveryRowProps {
  readonly project: string;
  readonly subscription: string;
  readonly delivery: Delivery;
  readonly writes: boolean;
}

function DeliveryRow({ project, subscription, delivery, writes }: DeliveryRowProps) {
  const api = useApi();
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const last = delivery.history.at(-1);
  const { busy, run: retry } = useRowAction('It was not tried again', async () => {
    const params = { project, subscription, delivery: delivery.id };
    await api.call(OPERATIONS.retryDelivery, { params });
    toast('It is tried again.');
    await queries.invalidateQueries({ queryKey: eventKeys.deliveries(project, subscription) });
  });
  return (
    <li className="border-b border-line last:border-0">
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 -outline-offset-2 hover:bg-hover/50">
          <Pill tone={TONES[delivery.state]} moving={delivery.state === 'waiting'}>
            {delivery.state}
          </Pill>
          <code className="min-w-0 flex-1 basis-52 truncate font-mono text-xs">{delivery.event.type}</code>
          <span className="figures text-[0.8125rem] text-ink-3">
            {last === undefined
              ? 'not tried yet'
              : `${last.status ?? last.error ?? 'no answer'} · ${last.durationMs} ms · try ${delivery.attempts}`}
          </span>
          <Ago time={delivery.createdAt} className="ml-auto w-24 text-right text-[0.8125rem] text-ink-3" />
        </summary>
        {open && (
          <div className="flex flex-col gap-3 px-4 pt-1 pb-4">
            {delivery.history.length > 0 && (
              <ol className="flex flex-col gap-1 text-[0.8125rem] text-ink-2">
                {delivery.history.map((attempt) => (
                  <li key={attempt.at} className="figures">
                    {dateTimeText(attempt.at)} — {attempt.status ?? attempt.error}, {attempt.durationMs} ms
                  </li>
                ))}
              </ol>
            )}
            {writes && (delivery.state === 'dead' || delivery.state === 'refused') && (
              <div>
                <Button size="sm" busy={busy} onClick={retry}>
                  Try again
                </Button>
              </div>
            )}
            <JsonView value={delivery.event} label={`Event ${delivery.event.id}`} />
          </div>
        )}
      </details>
    </li>
  );
}
