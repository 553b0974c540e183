import { Link } from '@tanstack/react-router';
import { TabStrip, tabStyle } from '../components/tab-strip.tsx';
import { useMay } from '../shell/permissions.ts';

const TABS = [
  { to: '/projects/$project/services/$service', label: 'Overview', needs: 'services.read' },
  { to: '/projects/$project/services/$service/revisions', label: 'Revisions', needs: 'services.read' },
  { to: '/projects/$project/services/$service/logs', label: 'Logs', needs: 'services.read' },
  { to: '/projects/$project/services/$service/events', label: 'Events', needs: 'services.read' },
  { to: '/projects/$project/services/$service/decisions', label: 'Decisions', needs: 'services.read' },
  { to: '/projects/$project/services/$service/cost', label: 'Cost', needs: 'billing.read' },
  { to: '/projects/$project/services/$service/settings', label: 'Settings', needs: 'services.write' },
] as const;

export function ServiceTabs({ project, service }: { project: string; service: string }) {
  const may = useMay(project);
  return (
    <TabStrip label="Service">
      {TABS.filter(({ needs }) => may(needs)).map(({ to, label }) => (
        <li key={to}>
          <Link to={to} params={{ project, service }} activeOptions={{ exact: true }} className={tabStyle}>
            {label}
          </Link>
        </li>
      ))}
    </TabStrip>
  );
}
