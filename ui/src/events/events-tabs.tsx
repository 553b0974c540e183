import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useApi, useUser } from '../api/context.ts';
import { deadLetterGroupsQuery } from './queries.ts';

const TABS = [
  { to: '/projects/$project/events', label: 'Feed', admin: false },
  { to: '/projects/$project/events/catalogue', label: 'Catalogue', admin: false },
  { to: '/projects/$project/events/subscriptions', label: 'Subscriptions', admin: false },
  { to: '/projects/$project/events/map', label: 'Service map', admin: false },
  { to: '/projects/$project/events/dead-letters', label: 'Dead letters', admin: true },
] as const;

export function EventsTabs({ project }: { project: string }) {
  const admin = useUser()?.admin === true;
  const { data: groups = [] } = useQuery({ ...deadLetterGroupsQuery(useApi()), enabled: admin });
  const dead = groups.reduce((sum, { letters }) => sum + letters, 0);
  return (
    <nav aria-label="Events" data-tab-strip className="-mx-4 overflow-x-auto border-b border-line px-4 sm:mx-0 sm:px-0">
      <ul className="flex gap-1">
        {TABS.filter((tab) => admin || !tab.admin).map(({ to, label, admin: counted }) => (
          <li key={to}>
            <Link
              to={to}
              params={{ project }}
              activeOptions={{ exact: to === '/projects/$project/events' }}
              className="relative flex h-10 items-center gap-1.5 px-3 font-medium whitespace-nowrap text-ink-3 -outline-offset-2 transition-colors hover:text-ink aria-[current=page]:text-ink aria-[current=page]:after:absolute aria-[current=page]:after:inset-x-3 aria-[current=page]:after:bottom-0 aria-[current=page]:after:h-0.5 aria-[current=page]:after:rounded-full aria-[current=page]:after:bg-accent"
            >
              {label}
              {counted && dead > 0 && (
                <span className="figures rounded-full bg-bad-soft px-1.5 py-0.5 text-xs text-bad-ink">{dead}</span>
              )}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  );
}
