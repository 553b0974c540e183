import { type Member, OPERATIONS, type Role, role } from '@skyrun/contracts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { toast } from 'sonner';
import { useApi, useUser } from '../api/context.ts';
import { fieldMessage } from '../api/problems.ts';
import { keys, membersQuery } from '../api/queries.ts';
import { useAction } from '../api/use-action.ts';
import { Button } from '../components/button.tsx';
import { ConfirmDialog } from '../components/confirm-dialog.tsx';
import { SelectField, TextField } from '../components/field.tsx';
import { Initial } from '../components/initial.tsx';
import { ListState } from '../components/list-state.tsx';
import { Page } from '../components/page.tsx';
import { Panel } from '../components/panel.tsx';
import { ProblemNotice } from '../components/problem-notice.tsx';
import { dateText } from '../format/time.ts';
import { useMay } from '../shell/permissions.ts';
import { useProjectName } from '../shell/place.ts';

const MEANS: Readonly<Record<Role, string>> = {
  owner: 'everything, members and the bill included',
  developer: 'deploys and changes services, sees the bill',
  viewer: 'looks at services',
  billing: 'sees and closes bills',
};

function AddMember({ project }: { project: string }) {
  const api = useApi();
  const queries = useQueryClient();
  const [email, setEmail] = useState('');
  const [chosen, setChosen] = useState<Role>('developer');
  const { busy, problem, submit } = useAction(async () => {
    await api.call(OPERATIONS.addMember, { params: { project }, body: { email: email.trim(), role: chosen } });
    toast(`${email} is now ${chosen} of ${project}.`);
    setEmail('');
    await queries.invalidateQueries({ queryKey: keys.members(project) });
  });

  const emailError =
    fieldMessage(problem, '/email') ??
    (problem?.code === 'resource.not_found' ? 'Nobody here has this e-mail; they sign up first.' : undefined);
  return (
    <Panel title="Add a person" note="They need an account on this installation.">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <div className="grid items-start gap-4 sm:grid-cols-[minmax(0,1fr)_12rem_auto]">
          <TextField
            label="E-mail"
            type="email"
            required
            value={email}
            error={emailError}
            onChange={(event) => setEmail(event.target.value)}
          />
          <SelectField
            label="Role"
            value={chosen}
            hint={MEANS[chosen]}
            onChange={(event) => setChosen(role.options.find((option) => option === event.target.value) ?? 'viewer')}
          >
            {role.options.map((option) => (
              <option key={option} value={option}>
                {option}
              </option>
            ))}
          </SelectField>
          <Button type="submit" tone="solid" busy={busy} className="sm:mt-6.5">
            Add member
          </Button>
        </div>
        {problem !== null && emailError === undefined && <ProblemNotice error={problem} />}
      </form>
    </Panel>
  );
}

function RemoveMember({ project, member, onClose }: { project: string; member: Member; onClose: () => void }) {
  const api = useApi();
  const queries = useQueryClient();
  return (
    <ConfirmDialog
      title={`Remove ${member.email}?`}
      description={`They lose their access to ${project}; what they deployed stays.`}
      action="Remove member"
      onConfirm={async () => {
        await api.call(OPERATIONS.removeMember, { params: { project, userId: member.userId } });
        toast(`${member.email} was removed.`);
        await queries.invalidateQueries({ queryKey: keys.members(project) });
      }}
      onClose={onClose}
    />
  );
}

export function MembersPage() {
  const project = useProjectName();
  const list = useQuery(membersQuery(useApi(), project));
  const members = list.data;
  const user = useUser();
  const manages = useMay(project)('project.manage');
  const [removing, setRemoving] = useState<Member | null>(null);
  return (
    <Page title="Members" documentTitle={`Members – ${project}`} subtitle={`Who may do what in ${project}.`}>
      {manages && <AddMember project={project} />}
      <Panel title="People" flush>
        <ListState list={list} items={members} rows={2} />
        <ul aria-label="Members">
          {members?.map((member) => (
            <li key={member.userId} className="flex items-center gap-3 border-b border-line px-4 py-2.5 last:border-0">
              <Initial of={member.email} className="size-8 rounded-full bg-sunken text-ink-2" />
              <div className="min-w-0 flex-1">
                <p className="truncate font-medium">
                  {member.email}
                  {member.userId === user?.id && <span className="font-normal text-ink-3"> (you)</span>}
                </p>
                <p className="truncate text-xs text-ink-3">
                  {member.role}: {MEANS[member.role]}
                </p>
              </div>
              <span className="hidden text-[0.8125rem] text-ink-3 sm:inline">since {dateText(member.addedAt)}</span>
              {manages && (
                <Button size="sm" aria-label={`Remove ${member.email}`} onClick={() => setRemoving(member)}>
                  Remove
                </Button>
              )}
            </li>
          ))}
        </ul>
      </Panel>
      {removing !== null && <RemoveMember project={project} member={removing} onClose={() => setRemoving(null)} />}
    </Page>
  );
}
