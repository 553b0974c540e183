import { useQuery } from '@tanstack/react-query';
import { MailCheck } from 'lucide-react';
import { useState } from 'react';
import { useApi } from '../../api/context.ts';
import { Ago } from '../../components/ago.tsx';
import { Button } from '../../components/button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ListState } from '../../components/list-state.tsx';
import { Panel } from '../../components/panel.tsx';
import { Pill } from '../../components/pill.tsx';
import { Cell, HeadCell, Table } from '../../components/table.tsx';
import { deadLetterGroupsQuery } from '../queries.ts';
import { LetterList } from './letter-list.tsx';

export function DeadLettersTab() {
  const list = useQuery(deadLetterGroupsQuery(useApi()));
  const groups = list.data;
  const [chosen, setChosen] = useState<string | null>(null);
  const current = groups?.find(({ group }) => group === chosen) ?? groups?.find(({ letters }) => letters > 0);
  return (
    <div className="flex flex-col gap-4">
      <Panel title="Consumer groups" note="The platform's and the teams'" flush>
        <ListState list={list} items={groups} rows={3} />
        {groups !== undefined && (
          <Table label="Dead letters by group">
            <thead>
              <tr>
                <HeadCell>Group</HeadCell>
                <HeadCell className="hidden sm:table-cell">Of</HeadCell>
                <HeadCell className="hidden sm:table-cell">Heard of</HeadCell>
                <HeadCell className="text-right">Dead letters</HeadCell>
                <HeadCell>
                  <span className="sr-only">Look</span>
                </HeadCell>
              </tr>
            </thead>
            <tbody className="[&>tr:last-child>td]:border-0">
              {groups.map(({ group, project, seenAt, letters, more }) => (
                <tr key={group}>
                  <Cell className="font-medium">
                    {group}
                    <span className="block text-xs font-normal text-ink-3 sm:hidden">
                      of {project ?? 'the platform'}
                    </span>
                  </Cell>
                  <Cell className="hidden text-ink-2 sm:table-cell">{project ?? 'platform'}</Cell>
                  <Cell className="hidden text-ink-3 sm:table-cell">
                    {seenAt === null ? 'not yet' : <Ago time={seenAt} />}
                  </Cell>
                  <Cell className="figures text-right">
                    {letters === 0 ? (
                      <span className="text-ink-3">none</span>
                    ) : (
                      <Pill tone="bad">{more ? `more than ${letters}` : letters}</Pill>
                    )}
                  </Cell>
                  <Cell className="text-right">
                    <Button
                      size="sm"
                      aria-label={`Look at dead letters of ${group}`}
                      aria-pressed={group === current?.group}
                      onClick={() => setChosen(group)}
                    >
                      Look
                    </Button>
                  </Cell>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
      </Panel>
      {current === undefined && groups !== undefined && (
        <Panel>
          <EmptyState icon={MailCheck} title="No dead letters">
            Every group handles what it gets. An event that a group fails at eight times waits here, unchanged.
          </EmptyState>
        </Panel>
      )}
      {current !== undefined && <LetterList key={current.group} group={current.group} />}
    </div>
  );
}
