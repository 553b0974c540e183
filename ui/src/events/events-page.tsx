import { Outlet } from '@tanstack/react-router';
import { Page } from '../components/page.tsx';
import { useProjectName } from '../shell/place.ts';
import { EventsTabs } from './events-tabs.tsx';

export function EventsPage() {
  const project = useProjectName();
  return (
    <Page
      title="Events"
      documentTitle={`Events – ${project}`}
      subtitle="Everything that happens, as CloudEvents; other teams can subscribe to each."
    >
      <EventsTabs project={project} />
      <Outlet />
    </Page>
  );
}
