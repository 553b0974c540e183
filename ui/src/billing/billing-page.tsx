import { Link, Outlet } from '@tanstack/react-router';
import { useUser } from '../api/context.ts';
import { Page } from '../components/page.tsx';
import { useShownTab } from '../components/use-shown-tab.ts';
import { useProjectName } from '../shell/place.ts';

const TABS = [
  { to: '/projects/$project/billing', label: 'Overview' },
  { to: '/projects/$project/billing/analysis', label: 'Analysis' },
  { to: '/projects/$project/billing/advice', label: 'Advice' },
  { to: '/projects/$project/billing/budgets', label: 'Budgets' },
  { to: '/projects/$project/billing/notices', label: 'Notices' },
  { to: '/projects/$project/billing/invoices', label: 'Invoices' },
  { to: '/projects/$project/billing/ledger', label: 'Ledger' },
  { to: '/projects/$project/billing/prices', label: 'Price lists' },
  { to: '/projects/$project/billing/jobs', label: 'Jobs', admin: true },
] as const satisfies readonly { to: string; label: string; admin?: boolean }[];

/** Links and not ARIA tabs, as on a service's pages. */
function BillingTabs({ project }: { project: string }) {
  const admin = useUser()?.admin === true;
  const strip = useShownTab();
  return (
    <nav
      ref={strip}
      aria-label="Billing"
      data-tab-strip
      className="-mx-4 overflow-x-auto border-b border-line px-4 sm:mx-0 sm:px-0"
    >
      <ul className="flex gap-1">
        {TABS.filter((tab) => admin || !('admin' in tab)).map(({ to, label }) => (
          <li key={to}>
            <Link
              to={to}
              params={{ project }}
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

export function BillingPage() {
  const project = useProjectName();
  return (
    <Page title="Billing" documentTitle={`Billing – ${project}`} subtitle={`What ${project} costs, and why.`}>
      <BillingTabs project={project} />
      <Outlet />
    </Page>
  );
}
