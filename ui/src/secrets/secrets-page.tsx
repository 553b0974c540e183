import { OPERATIONS, type Secret } from '@skyrun/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { KeyRound, Plus, RefreshCw, Trash2 } from 'lucide-react';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../api/context.ts';
import { fieldMessage } from '../api/problems.ts';
import { keys, secretsQuery } from '../api/queries.ts';
import { useAction } from '../api/use-action.ts';
import { Ago } from '../components/ago.tsx';
import { Button } from '../components/button.tsx';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { Dialog } from '../components/dialog.tsx';
import { EmptyState } from '../components/empty-state.tsx';
import { Field, TextField } from '../components/field.tsx';
import { inputStyle } from '../components/input-style.ts';
import { ListState } from '../components/list-state.tsx';
import { Page } from '../components/page.tsx';
import { Panel } from '../components/panel.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { Cell, HeadCell, Table } from '../components/table.tsx';
import { useMay } from '../shell/permissions.ts';
import { useProjectName } from '../shell/place.ts';

/** A new secret, or a new version of a known one. What is typed is sent once and shown nowhere again. */
function Write({ project, known, onClose }: { project: string; known: Secret | null; onClose: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  const [name, setName] = useState(known?.name ?? '');
  const [value, setValue] = useState('');
  const { busy, problem, submit } = useAction(async () => {
    const written =
      known === null
        ? await api.call(OPERATIONS.createSecret, { params: { project }, body: { name, value } })
        : await api.call(OPERATIONS.addSecretVersion, { params: { project, secret: known.name }, body: { value } });
    toast(`${written.name} has version ${written.latestVersion}.`);
    await queries.invalidateQueries({ queryKey: keys.secrets(project) });
    onClose();
  });
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={known === null ? 'New secret' : `New version of ${known.name}`}
      description={
        known === null
          ? 'Encrypted as soon as it arrives. Only containers that name it get its value.'
          : 'Instances that start from now on get it, where they name the latest version.'
      }
    >
      <form className="flex flex-col gap-4" onSubmit={submit}>
        {known === null && (
          <TextField
            label="Name"
            value={name}
            placeholder="database-password"
            onChange={(event) => setName(event.target.value)}
            error={fieldMessage(problem, '/name')}
            autoComplete="off"
            spellCheck={false}
            autoFocus
          />
        )}
        <Field label="Value" error={fieldMessage(problem, '/value')}>
          {(field) => (
            <textarea
              {...field}
              value={value}
              rows={4}
              onChange={(event) => setValue(event.target.value)}
              autoComplete="off"
              spellCheck={false}
              className={`${inputStyle} h-auto py-2 font-mono text-xs`}
            />
          )}
        </Field>
        {problem !== null && <ProblemNotice error={problem} />}
        <Button type="submit" tone="solid" className="self-end" busy={busy} disabled={name === '' || value === ''}>
          {known === null ? 'Create secret' : 'Add version'}
        </Button>
      </form>
    </Dialog>
  );
}

function Remove({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  return (
    <ConfirmDialog
      title={`Delete ${secret.name}?`}
      description="All its versions go, and nobody can read them again. A secret that a service uses stays."
      action="Delete secret"
      onConfirm={async () => {
        await api.call(OPERATIONS.deleteSecret, { params: { project: secret.project, secret: secret.name } });
        toast(`${secret.name} was deleted.`);
        await queries.invalidateQueries({ queryKey: keys.secrets(secret.project) });
      }}
      onClose={onClose}
    />
  );
}

const changedAt = ({ versions, createdAt }: Secret) => versions[0]?.createdAt ?? createdAt;

type Open =
  | { readonly kind: 'write'; readonly secret: Secret | null }
  | { readonly kind: 'remove'; readonly secret: Secret };

export function SecretsPage() {
  const project = useProjectName();
  const list = useQuery(secretsQuery(useApi(), project));
  const secrets = list.data;
  const may = useMay(project)('services.write');
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const create = (
    <Button tone="solid" onClick={() => setOpen({ kind: 'write', secret: null })}>
      <Plus aria-hidden />
      New secret
    </Button>
  );
  return (
    <Page
      title="Secrets"
      documentTitle={`Secrets – ${project}`}
      subtitle="Passwords and keys that services get as variables. Values are never shown again."
      actions={may && create}
    >
      <Panel flush>
        <ListState
          list={list}
          items={secrets}
          rows={3}
          empty={
            <EmptyState
              icon={KeyRound}
              title="No secret yet"
              command={`./skyrun secrets create NAME --project ${project} < file`}
            >
              Create one, then choose it for a variable of a service.
            </EmptyState>
          }
        />
        {secrets !== undefined && secrets.length > 0 && (
          <Table label="Secrets">
            <thead>
              <tr>
                <HeadCell>Name</HeadCell>
                <HeadCell className="hidden sm:table-cell">Version</HeadCell>
                <HeadCell>Used by</HeadCell>
                <HeadCell className="hidden sm:table-cell">Changed</HeadCell>
                {may && (
                  <HeadCell>
                    <span className="sr-only">Actions</span>
                  </HeadCell>
                )}
              </tr>
            </thead>
            <tbody className="[&>tr:last-child>td]:border-0">
              {secrets.map((secret) => (
                <tr key={secret.id}>
                  <Cell className="font-medium">
                    {secret.name}
                    <span className="block text-xs font-normal text-ink-3 sm:hidden">
                      version {secret.latestVersion}, <Ago time={changedAt(secret)} />
                    </span>
                  </Cell>
                  <Cell className="figures hidden sm:table-cell">{secret.latestVersion}</Cell>
                  <Cell className="text-ink-2">{secret.usedBy.length === 0 ? 'nobody' : secret.usedBy.join(', ')}</Cell>
                  <Cell className="hidden text-ink-3 sm:table-cell">
                    <Ago time={changedAt(secret)} />
                  </Cell>
                  {may && (
                    <Cell className="text-right whitespace-nowrap">
                      <Button
                        tone="ghost"
                        size="icon"
                        aria-label={`New version of ${secret.name}`}
                        onClick={() => setOpen({ kind: 'write', secret })}
                      >
                        <RefreshCw aria-hidden />
                      </Button>
                      <Button
                        tone="ghost"
                        size="icon"
                        aria-label={`Delete ${secret.name}`}
                        onClick={() => setOpen({ kind: 'remove', secret })}
                      >
                        <Trash2 aria-hidden />
                      </Button>
                    </Cell>
                  )}
                </tr>
              ))}
            </tbody>
          </Table>
        )}
      </Panel>
      {open?.kind === 'write' && <Write project={project} known={open.secret} onClose={close} />}
      {open?.kind === 'remove' && <Remove secret={open.secret} onClose={close} />}
    </Page>
  );
}
