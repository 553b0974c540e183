import { useProjectName } from '../shell/place.ts';
import { EventList } from './event-list.tsx';

export function FeedTab() {
  const project = useProjectName();
  return <EventList key={project} project={project} emptyCommand={`./skyrun events tail --project ${project}`} />;
}
