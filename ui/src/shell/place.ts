import { useParams } from '@tanstack/react-router';

/** The project that the address names. */
export function useProjectName(): string {
  const { project } = useParams({ strict: false });
  if (project === undefined) throw new TypeError('this page is not below a project');
  return project;
}

/** The service that the address names. */
export function useServiceName(): string {
  const { service } = useParams({ strict: false });
  if (service === undefined) throw new TypeError('this page is not below a service');
  return service;
}
