import type { EventEnvelope } from '@skyrun/contracts';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Pause, Play, ScrollText } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { useApi } from '../api/context.ts';
import { type EventFilter, eventsQuery } from '../api/queries.ts';
import { Button } from '../components/button.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { inputStyle } from '../components/input-style.ts';
import { ListState } from '../components/list-state.tsx';
import { MoreButton } from '../components/more-button.tsx';
import { Panel } from '../components/panel.tsx';
import { Select } from '../components/select.tsx';
import { useLiveEvents } from '../live/provider.tsx';
import { isKept, mergeEvents, passes, runsOf, TYPE_GROUPS } from './describe.ts';
import { EventRunRow } from './event-row.tsx';

/** Live events kept above the history; older ones are in the history anyway. */
const MAX_LIVE = 500;

interface EventListProps {
  readonly project: string;
  /** Found anywhere in the event; narrows the list to one resource. */
  readonly about?: string;
  readonly emptyCommand: string;
}

/** History and live feed of a project's events in one list. */
export function EventList({ project, about, emptyCommand }: EventListProps) {
  const [type, setType] = useState('');
  const [typed, setTyped] = useState('');
  const text = useDeferredValue(typed.trim());
  const [live, setLive] = useState<readonly EventEnvelope[]>([]);
  const [paused, setPaused] = useState(false);
  // The server takes one text; where the list is about a resource that one is used up, and the rest is done here.
  const searched = about ?? text;
  const asked: EventFilter = { ...(type === '' ? {} : { type }), ...(searched === '' ? {} : { text: searched }) };
  const list = useInfiniteQuery(eventsQuery(useApi(), project, asked));

  useLiveEvents((event) => {
    if (!paused && isKept(event.type)) setLive((known) => [event, ...known].slice(0, MAX_LIVE));
  });

  const history = list.data?.pages.flatMap((page) => page.items);
  const events =
    history === undefined
      ? undefined
      : mergeEvents(
          live.filter((event) => passes(event, asked)),
          history,
        ).filter((event) => passes(event, text === '' ? {} : { text }));
  const filtered = type !== '' || text !== '';
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-center gap-2">
        <input
          type="search"
          aria-label="Search events"
          placeholder="Search events"
          className={`${inputStyle} min-w-40 flex-1 basis-40`}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
        />
        <Select aria-label="Event type" value={type} onChange={(event) => setType(event.target.value)}>
          <option value="">All types</option>
          {TYPE_GROUPS.map(({ noun, pattern }) => (
            <option key={pattern} value={pattern}>
              {noun}.*
            </option>
          ))}
        </Select>
        <Button onClick={() => setPaused(!paused)} aria-pressed={paused}>
          {paused ? <Play aria-hidden /> : <Pause aria-hidden />}
          {paused ? 'Resume' : 'Pause'}
        </Button>
      </div>
      <Panel flush>
        <ListState
          list={list}
          items={events}
          rows={8}
          rowClassName="h-10"
          empty={
            <EmptyState
              icon={ScrollText}
              title={filtered ? 'No event matches' : 'Nothing happened yet'}
              {...(filtered ? {} : { command: emptyCommand })}
            >
              {filtered
                ? 'Take a word or the type out of the filter.'
                : 'Deploys, scaling, usage and invoices appear here as they happen.'}
            </EmptyState>
          }
        />
        {events !== undefined && events.length > 0 && (
          <ul aria-label="Events, newest first">
            {runsOf(events).map(({ key, events: run }) => (
              <EventRunRow key={key} events={run} />
            ))}
          </ul>
        )}
        <MoreButton list={list} label="Older events" />
      </Panel>
    </div>
  );
}
