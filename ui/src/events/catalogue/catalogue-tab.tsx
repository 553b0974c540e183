import type { CatalogueEntry, EventConsumer } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { BookOpen, Radio, Webhook } from 'lucide-react';
import { useDeferredValue, useState } from 'react';
import { useApi } from '../../api/context.ts';
import { Ago } from '../../components/ago.tsx';
import { classNames } from '../../components/class-names.ts';
import { Command } from '../../components/command.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { inputStyle } from '../../components/input-style.ts';
import { JsonView } from '../../components/json-view.tsx';
import { ListState } from '../../components/list-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { Pill } from '../../components/pill.tsx';
import { ScrollRegion } from '../../components/scroll-region.tsx';
import { useProjectName } from '../../shell/place.ts';
import { catalogueQuery } from '../queries.ts';

export function CatalogueTab() {
  const project = useProjectName();
  const list = useQuery(catalogueQuery(useApi(), project));
  const entries = list.data;
  const [typed, setTyped] = useState('');
  const [chosen, setChosen] = useState<string | null>(null);
  const text = useDeferredValue(typed.trim().toLowerCase());
  if (entries === undefined) {
    return (
      <Panel flush>
        <ListState list={list} items={entries} rows={6} />
      </Panel>
    );
  }
  const shown = entries.filter(({ type, summary }) => `${type} ${summary}`.toLowerCase().includes(text));
  const current = shown.find(({ type }) => type === chosen) ?? shown[0];
  return (
    <div className="grid items-start gap-4 lg:grid-cols-[20rem_minmax(0,1fr)]">
      <Panel title="Event types" note={`${entries.length} types, your own first`} flush>
        <div className="border-b border-line p-3">
          <input
            type="search"
            aria-label="Search event types"
            placeholder="Search types"
            className={inputStyle}
            value={typed}
            onChange={(event) => setTyped(event.target.value)}
          />
        </div>
        {shown.length === 0 ? (
          <EmptyState icon={BookOpen} title="No type matches">
            Search by a part of its name, or by what it says.
          </EmptyState>
        ) : (
          <ScrollRegion label="List of event types" className="max-h-[36rem] overflow-y-auto">
            <ul>
              {shown.map((entry) => (
                <TypeRow
                  key={entry.type}
                  entry={entry}
                  current={entry.type === current?.type}
                  onChoose={() => setChosen(entry.type)}
                />
              ))}
            </ul>
          </ScrollRegion>
        )}
      </Panel>
      {current !== undefined && <TypeDetails entry={current} project={project} />}
    </div>
  );
}

function TypeRow({ entry, current, onChoose }: { entry: CatalogueEntry; current: boolean; onChoose: () => void }) {
  return (
    <li className="border-b border-line last:border-0">
      <button
        type="button"
        aria-pressed={current}
        onClick={onChoose}
        className={classNames(
          'flex w-full flex-col gap-0.5 px-4 py-2.5 text-left -outline-offset-2 hover:bg-hover/60',
          current && 'bg-hover shadow-[inset_2px_0_0_var(--accent)]',
        )}
      >
        <code className="max-w-full truncate font-mono text-xs">{entry.type}</code>
        <span className="truncate text-[0.8125rem] text-ink-3">{entry.summary}</span>
      </button>
    </li>
  );
}

function TypeDetails({ entry, project }: { entry: CatalogueEntry; project: string }) {
  return (
    <div className="flex min-w-0 flex-col gap-4">
      <Panel>
        <div className="flex flex-col gap-3">
          <div className="flex flex-wrap items-center gap-2">
            <h2 className="min-w-0 font-mono text-sm font-semibold break-all">{entry.type}</h2>
            {entry.version === null ? (
              <Pill tone="muted">platform</Pill>
            ) : (
              <Pill tone="accent">schema version {entry.version}</Pill>
            )}
            {entry.retention === 'ephemeral' && <Pill tone="warn">not kept in the history</Pill>}
          </div>
          <p className="text-ink-2">{entry.summary}</p>
          <p className="text-[0.8125rem] text-ink-3">
            Subject <code className="font-mono text-ink-2">{entry.subject}</code>; events of one subject come in order.
          </p>
          <Command>{`./skyrun events tail --project ${project} --type ${entry.type}`}</Command>
        </div>
      </Panel>
      <Panel title="Who consumes this" flush>
        {entry.consumers.length === 0 ? (
          <p className="p-4 text-ink-3">Nobody yet. Subscribe with the client package, or send it to a webhook.</p>
        ) : (
          <ul>
            {entry.consumers.map((consumer) => (
              <ConsumerRow key={`${consumer.kind} ${consumer.name}`} consumer={consumer} />
            ))}
          </ul>
        )}
      </Panel>
      <Panel title="Schema of the data" note="JSON Schema">
        <JsonView value={entry.schema} label={`Schema of ${entry.type}`} />
      </Panel>
      <Panel title="Example">
        {entry.example === null ? (
          <p className="text-ink-3">None of this type has happened in {project} during the last week.</p>
        ) : (
          <JsonView value={entry.example} label={`Example of ${entry.type}`} />
        )}
      </Panel>
    </div>
  );
}

function ConsumerRow({ consumer: { kind, name, project, seenAt } }: { consumer: EventConsumer }) {
  const Icon = kind === 'group' ? Radio : Webhook;
  return (
    <li className="flex items-center gap-3 border-b border-line px-4 py-2.5 last:border-0">
      <Icon aria-hidden className="size-4 shrink-0 text-ink-3" />
      <span className="min-w-0 flex-1 truncate font-medium">{name}</span>
      <span className="text-[0.8125rem] text-ink-3">
        {kind === 'subscription' ? 'push subscription' : project === null ? 'consumer group' : `group of ${project}`}
        {seenAt !== null && (
          <>
            {' · seen '}
            <Ago time={seenAt} />
          </>
        )}
      </span>
    </li>
  );
}
