import { type ApiKey, OPERATIONS } from '@skyrun/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { KeySquare, Plus, RefreshCw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../api/context.ts';
import { apiKeysQuery, keys } from '../api/queries.ts';
import { Ago } from '../components/ago.tsx';
import { Button } from '../components/button.tsx';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { ListState } from '../components/list-state.tsx';
import { useNow } from '../components/now.ts';
import { Page } from '../components/page.tsx';
import { Panel } from '../components/panel.tsx';
import { Pill } from '../components/pill.tsx';
import { Cell, HeadCell, Table } from '../components/table.tsx';
import { dateText, shortTimeText } from '../format/time.ts';
import { useMay } from '../shell/permissions.ts';
import { useProjectName } from '../shell/place.ts';
import { CreateKey, RotateKey } from './write-key.tsx';

function Revoke({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  return (
    <ConfirmDialog
      title={`End ${apiKey.name}?`}
      description="Whoever uses it is refused within seconds, and it cannot be brought back."
      action="End key"
      onConfirm={async () => {
        await api.call(OPERATIONS.revokeApiKey, { params: { project: apiKey.project, key: apiKey.id } });
        toast(`${apiKey.name} is ended.`);
        await queries.invalidateQueries({ queryKey: keys.apiKeys(apiKey.project) });
      }}
      onClose={onClose}
    />
  );
}

function Ends({ apiKey }: { apiKey: ApiKey }) {
  const now = useNow();
  if (apiKey.previousUntil !== null && Date.parse(apiKey.previousUntil) > now) {
    return <Pill tone="warn">old key until {shortTimeText(apiKey.previousUntil)}</Pill>;
  }
  if (apiKey.expiresAt === null) return <span className="text-ink-3">never</span>;
  if (Date.parse(apiKey.expiresAt) <= now) return <Pill tone="bad">ended</Pill>;
  return <>{dateText(apiKey.expiresAt)}</>;
}

type Open = { readonly kind: 'create' } | { readonly kind: 'rotate' | 'revoke'; readonly apiKey: ApiKey };

export function KeysPage() {
  const project = useProjectName();
  const list = useQuery(apiKeysQuery(useApi(), project));
  const apiKeys = list.data;
  const may = useMay(project)('project.manage');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const create = (
    <Button tone="solid" onClick={() => setOpen({ kind: 'create' })}>
      <Plus aria-hidden />
      New key
    </Button>
  );
  return (
    <Page
      title="API keys"
      documentTitle={`API keys – ${project}`}
      subtitle="For team services, machines and pipelines: each of one project, with one role."
      actions={may && create}
    >
      <Panel flush>
        <ListState
          list={list}
          items={apiKeys}
          rows={3}
          empty={
            <EmptyState
              icon={KeySquare}
              title="No API key yet"
              command={`./skyrun keys create NAME --project ${project}`}
            >
              Make one for each service that publishes events, registers itself or calls a members-only service.
            </EmptyState>
          }
        />
        {apiKeys !== undefined && apiKeys.length > 0 && (
          <Table label="API keys">
            <thead>
              <tr>
                <HeadCell>Name</HeadCell>
                <HeadCell className="hidden sm:table-cell">Key</HeadCell>
                <HeadCell className="hidden sm:table-cell">Role</HeadCell>
                <HeadCell className="hidden sm:table-cell">Last used</HeadCell>
                <HeadCell className="hidden sm:table-cell">Ends</HeadCell>
                <HeadCell>
                  <span className="sr-only">Actions</span>
                </HeadCell>
              </tr>
            </thead>
            <tbody className="[&>tr:last-child>td]:border-0">
              {apiKeys.map((apiKey) => (
                <tr key={apiKey.id}>
                  <Cell className="font-medium">
                    {apiKey.name}
                    <span className="block text-xs font-normal text-ink-3 sm:hidden">
                      {apiKey.role} · <code className="font-mono">{apiKey.hint}…</code>
                      <span className="mt-1 block">
                        Ends: <Ends apiKey={apiKey} />
                      </span>
                    </span>
                  </Cell>
                  <Cell className="hidden font-mono text-xs text-ink-2 sm:table-cell">{apiKey.hint}…</Cell>
                  <Cell className="hidden sm:table-cell">{apiKey.role}</Cell>
                  <Cell className="hidden text-ink-3 sm:table-cell">
                    {apiKey.lastUsedAt === null ? 'never' : <Ago time={apiKey.lastUsedAt} />}
                  </Cell>
                  <Cell className="hidden sm:table-cell">
                    <Ends apiKey={apiKey} />
                  </Cell>
                  <Cell className="text-right whitespace-nowrap">
                    <Button
                      tone="ghost"
                      size="icon"
                      aria-label={`Exchange ${apiKey.name}`}
                      onClick={() => setOpen({ kind: 'rotate', apiKey })}
                    >
                      <RefreshCw aria-hidden />
                    </Button>
                    <Button
                      tone="ghost"
                      size="icon"
                      aria-label={`End ${apiKey.name}`}
                      onClick={() => setOpen({ kind: 'revoke', apiKey })}
                    >
                      <Trash2 aria-hidden />
                    </Button>
                  </Cell>
                </tr>
              ))}
            </tbody>
          </Table>
        )}
      </Panel>
      {open?.kind === 'create' && <CreateKey project={project} onClose={close} />}
      {open?.kind === 'rotate' && <RotateKey apiKey={open.apiKey} onClose={close} />}
      {open?.kind === 'revoke' && <Revoke apiKey={open.apiKey} onClose={close} />}
    </Page>
  );
}
