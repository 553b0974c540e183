import type { EventEnvelope } from '@skyrun/contracts';
import { ChevronRight } from 'lucide-react';
import { useState } from 'react';
import { classNames } from '../components/class-names.ts';
import { JsonView } from '../components/json-view.tsx';
import { Pill } from '../components/pill.tsx';
import { clockText, dateTimeText, shortTimeText } from '../format/time.ts';
import { detailOf, servicesOf, shortType, subjectOf, summaryOf, toneOf } from './describe.ts';

/** `run`: the line stands for all of it, and `event` is the newest. */
function EventLine({ event, open, run }: { event: EventEnvelope; open: boolean; run?: readonly EventEnvelope[] }) {
  const detail = run === undefined ? detailOf(event) : servicesOf(run);
  const subject = run === undefined ? event.subject : subjectOf(run);
  return (
    <summary className="relative grid grid-cols-[auto_minmax(0,1fr)] items-center gap-x-3 gap-y-0.5 py-2 pr-10 pl-4 -outline-offset-2 hover:bg-hover/50 md:grid-cols-[6.5rem_10.5rem_minmax(0,1fr)_minmax(0,13rem)]">
      <time
        dateTime={event.time}
        title={dateTimeText(event.time)}
        className="figures text-[0.8125rem] whitespace-nowrap text-ink-3"
      >
        <span className="hidden md:inline">{clockText(event.time)}</span>
        <span className="md:hidden">{shortTimeText(event.time)}</span>
      </time>
      <span className="justify-self-start">
        <Pill tone={toneOf(event.type)}>{shortType(event.type)}</Pill>
        {run !== undefined && <span className="figures ml-2 text-xs font-medium text-ink-2">× {run.length}</span>}
      </span>
      <span className="col-span-2 truncate md:col-span-1">
        {summaryOf(event)}
        {detail !== '' && <span className="text-ink-3"> · {detail}</span>}
      </span>
      <code className="col-span-2 truncate font-mono text-xs text-ink-3 md:col-span-1 md:text-right" title={subject}>
        {subject}
      </code>
      <ChevronRight
        aria-hidden
        className={classNames(
          'absolute top-1/2 right-3.5 size-4 -translate-y-1/2 text-ink-3 transition-transform',
          open && 'rotate-90',
        )}
      />
    </summary>
  );
}

/** One event: a line that opens into its JSON. */
function EventRow({ event }: { event: EventEnvelope }) {
  const [open, setOpen] = useState(false);
  return (
    <li className="border-b border-line last:border-0">
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <EventLine event={event} open={open} />
        {open && (
          <div className="px-4 pt-1 pb-4">
            <JsonView value={event} label={`Event ${event.id}`} />
          </div>
        )}
      </details>
    </li>
  );
}

/** Several of a kind in a row take one line, which opens into them all. */
export function EventRunRow({ events }: { events: readonly EventEnvelope[] }) {
  const [open, setOpen] = useState(false);
  const [newest] = events;
  if (newest === undefined) return null;
  if (events.length === 1) return <EventRow event={newest} />;
  return (
    <li className="border-b border-line last:border-0">
      <details onToggle={({ currentTarget, target }) => currentTarget === target && setOpen(currentTarget.open)}>
        <EventLine event={newest} open={open} run={events} />
        {open && (
          <ul className="ml-4 border-t border-l border-line">
            {events.map((event) => (
              <EventRow key={`${event.source} ${event.id}`} event={event} />
            ))}
          </ul>
        )}
      </details>
    </li>
  );
}
