import { Link } from '@tanstack/react-router';
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

/** Links and not ARIA tabs: each has an address of its own, and back goes back. */
export function ServiceTabs({ project, service }: { project: string; service: string }) {
  const may = useMay(project);
  return (
    <nav
      aria-label="Service"
      data-tab-strip
      className="-mx-4 overflow-x-auto border-b border-line px-4 sm:mx-0 sm:px-0"
    >
      <ul className="flex gap-1">
        {TABS.filter(({ needs }) => may(needs)).map(({ to, label }) => (
          <li key={to}>
            <Link
              to={to}
              params={{ project, service }}
              activeOptions={{ exact: true }}
              className="relative flex h-10 items-center px-3 font-medium whitespace-nowrap text-ink-3 -outline-offset-2 transition-colors hover:text-ink aria-[current=page]:text-ink aria-[current=page]:after:absolute aria-[current=page]:after:inset-x-3 aria-[current=page]:after:bottom-0 aria-[current=page]:after:h-0.5 aria-[current=page]:after:rounded-full aria-[current=page]:after:bg-accent"
            >
              {label}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
