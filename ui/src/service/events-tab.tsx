import { useQuery } from '@tanstack/react-query';
import { useApi } from '../api/context.ts';
import { serviceQuery } from '../api/queries.ts';
import { EventList } from '../events/event-list.tsx';
import { useProjectName, useServiceName } from '../shell/place.ts';

export function EventsTab() {
  const project = useProjectName();
  const name = useServiceName();
  const { data: service } = useQuery(serviceQuery(useApi(), project, name));
  if (service === undefined) return null;
  // Every event of a service, its revisions and its instances carries the service's id.
  return <EventList project={project} about={service.id} emptyCommand={`./skyrun events --project ${project} -f`} />;
}
