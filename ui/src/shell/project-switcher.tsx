import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { ChevronsUpDown, Plus } from 'lucide-react';
import { useState } from 'react';
import { useApi } from '../api/context.ts';
import { projectsQuery } from '../api/queries.ts';
import { Initial } from '../components/initial.tsx';
import { Menu, MenuItem, MenuLabel, MenuLine, MenuRadioGroup, MenuRadioItem } from '../components/menu.tsx';
import { CreateProjectDialog } from './create-project.tsx';

export function ProjectSwitcher({ project }: { project: string }) {
  const { data: projects } = useQuery(projectsQuery(useApi()));
  const navigate = useNavigate();
  const [creating, setCreating] = useState(false);
  return (
    <>
      <Menu
        trigger={
          <button
            type="button"
            className="flex h-10 w-full min-w-0 items-center gap-2.5 rounded-lg border border-line bg-surface px-2.5 text-left shadow-panel transition-colors hover:bg-hover"
          >
            <Initial of={project} className="size-6 rounded-md bg-accent-soft text-accent-ink" />
            <span className="sr-only">Project:</span>
            <span className="min-w-0 flex-1 truncate font-medium">{project}</span>
            <ChevronsUpDown aria-hidden className="size-4 shrink-0 text-ink-3" />
          </button>
        }
      >
        <MenuLabel>Projects</MenuLabel>
        <MenuRadioGroup
          value={project}
          onValueChange={(name) => void navigate({ to: '/projects/$project/services', params: { project: name } })}
        >
          {projects?.map(({ name, role }) => (
            <MenuRadioItem key={name} value={name}>
              <span className="min-w-0 flex-1 truncate">{name}</span>
              {role !== undefined && <span className="text-xs font-normal text-ink-3">{role}</span>}
            </MenuRadioItem>
          ))}
        </MenuRadioGroup>
        <MenuLine />
        <MenuItem onSelect={() => setCreating(true)}>
          <Plus aria-hidden />
          Create project
        </MenuItem>
      </Menu>
      <CreateProjectDialog open={creating} onOpenChange={setCreating} />
    </>
  );
}
