import { type ApiKey, type ApiKeyRole, apiKeyRole, type NewApiKey, OPERATIONS, type Problem } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useApi } from '../api/context.ts';
import { fieldMessage } from '../api/problems.ts';
import { keys } from '../api/queries.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../components/button.tsx';
import { CopyButton } from '../components/copy-button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { SelectField, TextField } from '../components/field.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';

const MEANS: Readonly<Record<ApiKeyRole, string>> = {
  developer: 'Publishes events, registers and deploys services, calls members-only services.',
  viewer: 'Looks at services and events, calls members-only services.',
  billing: 'Sees and closes bills.',
};
const ENDS = [
  ['', 'Never'],
  ['30', 'In 30 days'],
  ['90', 'In 90 days'],
  ['365', 'In a year'],
] as const;
const GRACES = [
  ['0', 'At once'],
  ['60', 'In an hour'],
  ['1440', 'In a day'],
  ['10080', 'In a week'],
] as const;

/** The one time that a key is seen. */
function Shown({ made, onClose }: { made: NewApiKey; onClose: () => void }) {
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title={`Copy the key ${made.name} now`}
      description="It is shown this once. Skyrun keeps a digest of it and cannot tell it again."
    >
      <div className="flex flex-col gap-4">
        <div className="flex items-center gap-2 rounded-lg border border-line bg-sunken p-2 pl-3">
          <code className="min-w-0 flex-1 font-mono text-xs break-all select-all">{made.key}</code>
          <CopyButton text={made.key} label="Copy the key" />
        </div>
        <p className="text-sm text-ink-2">
          Send it as <code className="font-mono text-xs">Authorization: Bearer</code> or{' '}
          <code className="font-mono text-xs">X-API-Key</code>; the client package takes it as{' '}
          <code className="font-mono text-xs">SKYRUN_TOKEN</code>.
        </p>
        <Button tone="solid" className="self-end" onClick={onClose}>
          I have copied it
        </Button>
      </div>
    </Dialog>
  );
}

interface WriteProps {
  readonly project: string;
  readonly title: string;
  readonly description: string;
  readonly submit: string;
  readonly send: () => Promise<NewApiKey>;
  readonly children: (problem: Problem | null) => ReactNode;
  readonly onClose: () => void;
}

/** Asks, sends, and then shows the key. */
function Write({ project, title, description, submit, send, children, onClose }: WriteProps) {
  const queries = useQueryClient();
  const [made, setMade] = useState<NewApiKey | null>(null);
  const {
    busy,
    problem,
    submit: write,
  } = useAction(async () => {
    setMade(await send());
    await queries.invalidateQueries({ queryKey: keys.apiKeys(project) });
  });
  if (made !== null) return <Shown made={made} onClose={onClose} />;
  return (
    <Dialog open onOpenChange={onClose} title={title} description={description}>
      <form className="flex flex-col gap-4" onSubmit={write}>
        {children(problem)}
        {problem !== null && fieldMessage(problem, '/name') === undefined && <ProblemNotice error={problem} />}
        <Button type="submit" tone="solid" className="self-end" busy={busy}>
          {submit}
        </Button>
      </form>
    </Dialog>
  );
}

export function CreateKey({ project, onClose }: { project: string; onClose: () => void }) {
  const api = useApi();
  const [name, setName] = useState('');
  const [role, setRole] = useState<ApiKeyRole>('developer');
  const [days, setDays] = useState('');
  const send = () =>
    api.call(OPERATIONS.createApiKey, {
      params: { project },
      body: { name: name.trim(), role, ...(days === '' ? {} : { expiresInDays: Number(days) }) },
    });
  return (
    <Write
      project={project}
      title="New API key"
      description={`For a service, a machine or a pipeline that works in ${project}. It needs no person to sign in.`}
      submit="Create key"
      send={send}
      onClose={onClose}
    >
      {(problem) => (
        <>
          <TextField
            label="Name"
            hint="Who uses it, in lower case: the log of changes names it."
            value={name}
            required
            placeholder="checkout"
            onChange={(event) => setName(event.target.value)}
            error={fieldMessage(problem, '/name')}
            autoComplete="off"
            spellCheck={false}
            autoFocus
          />
          <SelectField
            label="Role"
            value={role}
            hint={MEANS[role]}
            onChange={(event) =>
              setRole(apiKeyRole.options.find((option) => option === event.target.value) ?? 'viewer')
            }
          >
            {apiKeyRole.options.map((option) => (
              <option key={option} value={option}>
                {option}
              </option>
            ))}
          </SelectField>
          <SelectField label="Ends" value={days} onChange={(event) => setDays(event.target.value)}>
            {ENDS.map(([value, text]) => (
              <option key={value} value={value}>
                {text}
              </option>
            ))}
          </SelectField>
        </>
      )}
    </Write>
  );
}

export function RotateKey({ apiKey, onClose }: { apiKey: ApiKey; onClose: () => void }) {
  const api = useApi();
  const [minutes, setMinutes] = useState('60');
  const send = () =>
    api.call(OPERATIONS.rotateApiKey, {
      params: { project: apiKey.project, key: apiKey.id },
      body: { graceMinutes: Number(minutes) },
    });
  return (
    <Write
      project={apiKey.project}
      title={`Exchange ${apiKey.name}`}
      description="You get a new key under the same name and role. Give it to whoever uses it before the present one ends."
      submit="Exchange key"
      send={send}
      onClose={onClose}
    >
      {() => (
        <SelectField label="The present key ends" value={minutes} onChange={(event) => setMinutes(event.target.value)}>
          {GRACES.map(([value, text]) => (
            <option key={value} value={value}>
              {text}
            </option>
          ))}
        </SelectField>
      )}
    </Write>
  );
}
