import { Link, Outlet } from '@tanstack/react-router';
import { useUser } from '../api/context.ts';
import { Page } from '../components/page.tsx';
import { TabStrip, tabStyle } from '../components/tab-strip.tsx';
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

function BillingTabs({ project }: { project: string }) {
  const admin = useUser()?.admin === true;
  return (
    <TabStrip label="Billing">
      {TABS.filter((tab) => admin || !('admin' in tab)).map(({ to, label }) => (
        <li key={to}>
          <Link to={to} params={{ project }} activeOptions={{ exact: true }} className={tabStyle}>
            {label}
          </Link>
        </li>
      ))}
    </TabStrip>
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
