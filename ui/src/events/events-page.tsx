import { Page } from '../components/page.tsx';
import { useProjectName } from '../shell/place.ts';
import { EventList } from './event-list.tsx';

export function EventsPage() {
  const project = useProjectName();
  return (
    <Page
      title="Events"
      documentTitle={`Events – ${project}`}
      subtitle="Everything that happens, as CloudEvents; other teams can subscribe to each."
    >
      <EventList key={project} project={project} emptyCommand={`./skyrun events --project ${project} -f`} />
    </Page>
  );
}
