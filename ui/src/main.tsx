import './styles.css';
import { Problem } from '@skyrun/contracts';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { createRoot } from 'react-dom/client';
import { createApiClient } from './api/client.ts';
import { ConnectionContext } from './api/context.ts';
import { browserTokenStore, exclusiveAcrossTabs, Session } from './api/session.ts';
import { createSend } from './api/transport.ts';
import { pageClock } from './clock.ts';
import { createPendingArchive, PendingArchiveContext } from './deploy/pending-archive.ts';
import { router } from './router.tsx';
import { Toasts } from './shell/toasts.tsx';
import { followTheme } from './theme/theme.ts';

const send = createSend((input, init) => fetch(input, init));
const session = new Session({
  send,
  store: browserTokenStore(localStorage, sessionStorage),
  clock: pageClock,
  exclusive: exclusiveAcrossTabs,
});
const connection = { session, api: createApiClient({ send, session }) };
const pendingArchive = createPendingArchive();

const MAX_RETRIES = 3;
const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 2000,
      // What the server refused will be refused again; only what it could not answer is worth another try.
      retry: (failures, error) => failures < MAX_RETRIES && (!(error instanceof Problem) || error.status >= 500),
    },
  },
});

const root = document.getElementById('root');
if (root === null) throw new TypeError('index.html has no #root');
followTheme();
void session.start();
createRoot(root).render(
  <ConnectionContext value={connection}>
    <QueryClientProvider client={queries}>
      <PendingArchiveContext value={pendingArchive}>
        <RouterProvider router={router} />
      </PendingArchiveContext>
      <Toasts />
    </QueryClientProvider>
  </ConnectionContext>,
);
