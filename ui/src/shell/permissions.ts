import { type ProjectPermission, ROLE_PERMISSIONS } from '@skyrun/contracts';
import { useQuery } from '@tanstack/react-query';
import { useApi, useUser } from '../api/context.ts';
import { projectsQuery } from '../api/queries.ts';

/** Whether the person may do something in a project. Only decides what is offered; the server decides what is done. */
export function useMay(project: string): (permission: ProjectPermission) => boolean {
  const user = useUser();
  const { data } = useQuery(projectsQuery(useApi()));
  const role = data?.find(({ name }) => name === project)?.role;
  return (permission) => user?.admin === true || (role !== undefined && ROLE_PERMISSIONS[role].includes(permission));
}
