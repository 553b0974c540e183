import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { useApi, useUser } from '../api/context.ts';
import { TabStrip, tabStyle } from '../components/tab-strip.tsx';
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
    <TabStrip label="Events">
      {TABS.filter((tab) => admin || !tab.admin).map(({ to, label, admin: counted }) => (
        <li key={to}>
          <Link
            to={to}
            params={{ project }}
            activeOptions={{ exact: to === '/projects/$project/events' }}
            className={tabStyle}
          >
            {label}
            {counted && dead > 0 && (
              <span className="figures rounded-full bg-bad-soft px-1.5 py-0.5 text-xs text-bad-ink">{dead}</span>
            )}
          </Link>
        </li>
      ))}
    </TabStrip>
  );
}
