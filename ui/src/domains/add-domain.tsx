import { OPERATIONS } from '@skyrun/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi } from '../api/context.ts';
import { fieldMessage } from '../api/problems.ts';
import { keys, servicesQuery } from '../api/queries.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../components/button.tsx';
import { Dialog } from '../components/dialog.tsx';
import { SelectField, TextField } from '../components/field.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';

export function AddDomain({ project, onClose }: { project: string; onClose: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  const { data: services } = useQuery(servicesQuery(api, project));
  const [name, setName] = useState('');
  const [chosen, setChosen] = useState('');
  const service = chosen || (services?.[0]?.name ?? '');
  const { busy, problem, submit } = useAction(async () => {
    const added = await api.call(OPERATIONS.addDomain, { params: { project }, body: { name, service } });
    toast(`${added.name} was added. Make one of its records next.`);
    await queries.invalidateQueries({ queryKey: keys.domains(project) });
    onClose();
  });
  return (
    <Dialog
      open
      onOpenChange={onClose}
      title="Add a domain"
      description="You get a DNS record to make. Once it is found, the domain leads to the service."
    >
      <form className="flex flex-col gap-4" onSubmit={submit}>
        <TextField
          label="Domain"
          value={name}
          placeholder="www.example.com"
          hint="*.example.com stands for all names below example.com."
          onChange={(event) => setName(event.target.value.trim())}
          error={fieldMessage(problem, '/name')}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          autoFocus
        />
        <SelectField
          label="Service"
          value={service}
          onChange={(event) => setChosen(event.target.value)}
          error={fieldMessage(problem, '/service')}
          hint={services?.length === 0 ? 'Deploy a service first: a domain leads to one.' : undefined}
        >
          {services?.map((one) => (
            <option key={one.id} value={one.name}>
              {one.name}
            </option>
          ))}
        </SelectField>
        {problem !== null && <ProblemNotice error={problem} />}
        <Button type="submit" tone="solid" className="self-end" busy={busy} disabled={name === '' || service === ''}>
          Add domain
        </Button>
      </form>
    </Dialog>
  );
}
