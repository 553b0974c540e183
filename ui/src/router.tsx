import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Navigate,
  Outlet,
} from '@tanstack/react-router';
import { SignInPage, SignUpPage } from './auth/auth-form.tsx';
import { BrokenPage, NotFoundPage } from './shell/notices.tsx';
import { useProjectName } from './shell/place.ts';
import { Shell } from './shell/shell.tsx';
import { HomePage, SignedIn } from './shell/signed-in.tsx';

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);

const rootRoute = createRootRoute({ component: Outlet, notFoundComponent: () => <NotFoundPage alone /> });

const validateNext = (search: Record<string, unknown>): { next?: string | undefined } => ({
  next: text(search['next']),
});
const signInRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-in',
  component: SignInPage,
  validateSearch: validateNext,
});
const signUpRoute = createRoute({
  getParentRoute: () => rootRoute,
  path: '/sign-up',
  component: SignUpPage,
  validateSearch: validateNext,
});

const signedInRoute = createRoute({ getParentRoute: () => rootRoute, id: 'signed-in', component: SignedIn });
const homeRoute = createRoute({ getParentRoute: () => signedInRoute, path: '/', component: HomePage });

const projectRoute = createRoute({
  getParentRoute: () => signedInRoute,
  path: '/projects/$project',
  component: Shell,
  notFoundComponent: () => <NotFoundPage />,
});

function ToServices() {
  const project = useProjectName();
  return <Navigate to="/projects/$project/services" params={{ project }} replace />;
}

const projectHomeRoute = createRoute({ getParentRoute: () => projectRoute, path: '/', component: ToServices });
const servicesRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/services',
  component: lazyRouteComponent(() => import('./services/services-page.tsx'), 'ServicesPage'),
});
const deployRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/deploy',
  component: lazyRouteComponent(() => import('./deploy/deploy-page.tsx'), 'DeployPage'),
  validateSearch: (search: Record<string, unknown>): { image?: string | undefined } => ({
    image: text(search['image']),
  }),
});
const imagesRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/images',
  component: lazyRouteComponent(() => import('./images/images-page.tsx'), 'ImagesPage'),
});
const domainsRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/domains',
  component: lazyRouteComponent(() => import('./domains/domains-page.tsx'), 'DomainsPage'),
});
const secretsRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/secrets',
  component: lazyRouteComponent(() => import('./secrets/secrets-page.tsx'), 'SecretsPage'),
});
const keysRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/keys',
  component: lazyRouteComponent(() => import('./keys/keys-page.tsx'), 'KeysPage'),
});
const eventsRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/events',
  component: lazyRouteComponent(() => import('./events/events-page.tsx'), 'EventsPage'),
});
const eventFeedRoute = createRoute({
  getParentRoute: () => eventsRoute,
  path: '/',
  component: lazyRouteComponent(() => import('./events/feed-tab.tsx'), 'FeedTab'),
});
const eventCatalogueRoute = createRoute({
  getParentRoute: () => eventsRoute,
  path: '/catalogue',
  component: lazyRouteComponent(() => import('./events/catalogue/catalogue-tab.tsx'), 'CatalogueTab'),
});
const eventSubscriptionsRoute = createRoute({
  getParentRoute: () => eventsRoute,
  path: '/subscriptions',
  component: lazyRouteComponent(() => import('./events/subscriptions/subscriptions-tab.tsx'), 'SubscriptionsTab'),
});
const eventMapRoute = createRoute({
  getParentRoute: () => eventsRoute,
  path: '/map',
  component: lazyRouteComponent(() => import('./events/map/map-tab.tsx'), 'MapTab'),
});
const eventDeadLettersRoute = createRoute({
  getParentRoute: () => eventsRoute,
  path: '/dead-letters',
  component: lazyRouteComponent(() => import('./events/dead-letters/dead-letters-tab.tsx'), 'DeadLettersTab'),
});
const billingRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/billing',
  component: lazyRouteComponent(() => import('./billing/billing-page.tsx'), 'BillingPage'),
});
const billingOverviewRoute = createRoute({
  getParentRoute: () => billingRoute,
  path: '/',
  component: lazyRouteComponent(() => import('./billing/overview/overview-tab.tsx'), 'OverviewTab'),
});
const billingAnalysisRoute = createRoute({
  getParentRoute: () => billingRoute,
  path: '/analysis',
  component: lazyRouteComponent(() => import('./billing/analysis/analysis-tab.tsx'), 'AnalysisTab'),
});
const billingAdviceRoute = createRoute({
  getParentRoute: () => billingRoute,
  path: '/advice',
  component: lazyRouteComponent(() => import('./billing/advice/advice-tab.tsx'), 'AdviceTab'),
});
const billingBudgetsRoute = createRoute({
  getParentRoute: () => billingRoute,
  path: '/budgets',
  component: lazyRouteComponent(() => import('./billing/budgets/budgets-tab.tsx'), 'BudgetsTab'),
});
const billingInvoicesRoute = createRoute({
  getParentRoute: () => billingRoute,
  path: '/invoices',
  component: lazyRouteComponent(() => import('./billing/invoices/invoices-tab.tsx'), 'InvoicesTab'),
});
const billingLedgerRoute = createRoute({
  getParentRoute: () => billingRoute,
  path: '/ledger',
  component: lazyRouteComponent(() => import('./billing/ledger/ledger-tab.tsx'), 'LedgerTab'),
});
const billingPricesRoute = createRoute({
  getParentRoute: () => billingRoute,
  path: '/prices',
  component: lazyRouteComponent(() => import('./billing/prices/prices-tab.tsx'), 'PricesTab'),
});
const billingNoticesRoute = createRoute({
  getParentRoute: () => billingRoute,
  path: '/notices',
  component: lazyRouteComponent(() => import('./billing/notices/notices-tab.tsx'), 'NoticesTab'),
});
const billingJobsRoute = createRoute({
  getParentRoute: () => billingRoute,
  path: '/jobs',
  component: lazyRouteComponent(() => import('./billing/jobs/jobs-tab.tsx'), 'JobsTab'),
});
const invoiceRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/billing/$invoiceId',
  component: lazyRouteComponent(() => import('./billing/invoices/invoice-page.tsx'), 'InvoicePage'),
});
const gatewayRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/gateway',
  component: lazyRouteComponent(() => import('./gateway/gateway-page.tsx'), 'GatewayPage'),
});
const membersRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/members',
  component: lazyRouteComponent(() => import('./members/members-page.tsx'), 'MembersPage'),
});

const serviceRoute = createRoute({
  getParentRoute: () => projectRoute,
  path: '/services/$service',
  component: lazyRouteComponent(() => import('./service/service-page.tsx'), 'ServicePage'),
});
const overviewRoute = createRoute({
  getParentRoute: () => serviceRoute,
  path: '/',
  component: lazyRouteComponent(() => import('./service/overview-tab.tsx'), 'OverviewTab'),
});
const revisionsRoute = createRoute({
  getParentRoute: () => serviceRoute,
  path: '/revisions',
  component: lazyRouteComponent(() => import('./service/revisions-tab.tsx'), 'RevisionsTab'),
});
const logsRoute = createRoute({
  getParentRoute: () => serviceRoute,
  path: '/logs',
  component: lazyRouteComponent(() => import('./logs/logs-tab.tsx'), 'LogsTab'),
});
const serviceEventsRoute = createRoute({
  getParentRoute: () => serviceRoute,
  path: '/events',
  component: lazyRouteComponent(() => import('./service/events-tab.tsx'), 'EventsTab'),
});
const decisionsRoute = createRoute({
  getParentRoute: () => serviceRoute,
  path: '/decisions',
  component: lazyRouteComponent(() => import('./service/decisions-tab.tsx'), 'DecisionsTab'),
});
const costRoute = createRoute({
  getParentRoute: () => serviceRoute,
  path: '/cost',
  component: lazyRouteComponent(() => import('./service/cost-tab.tsx'), 'CostTab'),
});
const settingsRoute = createRoute({
  getParentRoute: () => serviceRoute,
  path: '/settings',
  component: lazyRouteComponent(() => import('./service/settings-tab.tsx'), 'SettingsTab'),
});

const routeTree = rootRoute.addChildren([
  signInRoute,
  signUpRoute,
  signedInRoute.addChildren([
    homeRoute,
    projectRoute.addChildren([
      projectHomeRoute,
      servicesRoute,
      deployRoute,
      imagesRoute,
      domainsRoute,
      secretsRoute,
      keysRoute,
      eventsRoute.addChildren([
        eventFeedRoute,
        eventCatalogueRoute,
        eventSubscriptionsRoute,
        eventMapRoute,
        eventDeadLettersRoute,
      ]),
      billingRoute.addChildren([
        billingOverviewRoute,
        billingAnalysisRoute,
        billingAdviceRoute,
        billingBudgetsRoute,
        billingInvoicesRoute,
        billingLedgerRoute,
        billingPricesRoute,
        billingNoticesRoute,
        billingJobsRoute,
      ]),
      invoiceRoute,
      gatewayRoute,
      membersRoute,
      serviceRoute.addChildren([
        overviewRoute,
        revisionsRoute,
        logsRoute,
        serviceEventsRoute,
        decisionsRoute,
        costRoute,
        settingsRoute,
      ]),
    ]),
  ]),
]);

export const router = createRouter({
  routeTree,
  defaultErrorComponent: BrokenPage,
  defaultPreload: 'intent',
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
