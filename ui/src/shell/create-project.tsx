import { OPERATIONS } from '@skyrun/contracts';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import { useApi } from '../api/context.ts';
import { fieldMessage } from '../api/problems.ts';
import { keys } from '../api/queries.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { TextField } from '../components/field.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';

/** Asks for a name, creates the project and goes there. */
export function CreateProjectForm({ onCreated }: { onCreated?: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState('');

  const { busy, problem, submit } = useAction(async () => {
    const project = await api.call(OPERATIONS.createProject, { body: { name } });
    await queries.invalidateQueries({ queryKey: keys.projects });
    onCreated?.();
    await navigate({ to: '/projects/$project/services', params: { project: project.name } });
  });

  const nameError = fieldMessage(problem, '/name');
  return (
    <form onSubmit={submit} className="flex flex-col gap-4">
      <TextField
        label="Project name"
        value={name}
        onChange={(event) => setName(event.target.value)}
        hint={
          name === '' ? 'Part of every URL: letters, digits and hyphens.' : `Services will be at <service>.${name}.…`
        }
        error={nameError}
        placeholder="my-project"
        autoComplete="off"
        spellCheck={false}
        required
        autoFocus
      />
      {problem !== null && nameError === undefined && <ProblemNotice error={problem} />}
      <Button type="submit" tone="solid" busy={busy} className="self-end">
        Create project
      </Button>
    </form>
  );
}

export function CreateProjectDialog({ open, onOpenChange }: { open: boolean; onOpenChange: (open: boolean) => void }) {
  return (
    <Dialog
      open={open}
      onOpenChange={onOpenChange}
      title="Create a project"
      description="A project holds services, images, members and one bill. Its name cannot be changed."
    >
      <CreateProjectForm onCreated={() => onOpenChange(false)} />
    </Dialog>
  );
}
