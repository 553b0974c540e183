import type { IncomingMessage, ServerResponse } from 'node:http';
import { ALL_OPERATIONS, LIVE_FEED, Problem } from '@skyrun/contracts';
import { Server } from 'socket.io';
import type { Plugin } from 'vite';
import { fakeHandlers, WRITTEN } from './routes.ts';
import { FakeState } from './state.ts';

const ROUTES = ALL_OPERATIONS.map((operation) => ({
  operation,
  pattern: new RegExp(`^${operation.path.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
}));

async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text === '' ? undefined : JSON.parse(text);
}

/** Answers the contracts' operations from memory, so that pages can be looked at without a platform. */
export function fakeApi(): Plugin {
  return {
    name: 'skyrun-fake-api',
    configureServer(server) {
      const state = new FakeState();
      const handlers = fakeHandlers(state);
      const timer = setInterval(() => state.tick(Date.now()), 1000);
      server.httpServer?.once('close', () => clearInterval(timer));

      async function answer(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
        const method = request.method?.toLowerCase();
        for (const { operation, pattern } of ROUTES) {
          const match = pattern.exec(url.pathname);
          const handler = handlers.get(operation);
          if (match === null || operation.method !== method || handler === undefined) continue;
          const body = operation.rawBody === undefined ? await readJson(request) : undefined;
          const params = Object.fromEntries(
            Object.entries(match.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)]),
          );
          const result = await handler({ params, query: url.searchParams, body, request, response });
          if (result === WRITTEN) return;
          response.statusCode = operation.status;
          response.setHeader('content-type', 'application/json');
          response.end(operation.status === 204 ? undefined : JSON.stringify(operation.response.parse(result)));
          return;
        }
        throw new Problem('resource.not_found', { detail: `${method} ${url.pathname}` });
      }

      server.middlewares.use((request, response, next) => {
        const url = new URL(request.url ?? '/', 'http://fixture');
        if (!url.pathname.startsWith('/api/')) {
          next();
          return;
        }
        answer(request, response, url).catch((error: unknown) => {
          const problem =
            error instanceof Problem ? error : new Problem('platform.internal', { detail: String(error) });
          response.statusCode = problem.status;
          response.setHeader('content-type', 'application/problem+json');
          response.end(JSON.stringify(problem.toDetails()));
        });
      });

      if (server.httpServer === null) return;
      const io = new Server({ path: LIVE_FEED.path, serveClient: false });
      io.attach(server.httpServer);
      io.on('connection', (socket) => {
        socket.on(LIVE_FEED.subscribe, ({ project }, acknowledge) => {
          const listener = (event: { project?: string | undefined }) => {
            if (event.project === project) socket.emit(LIVE_FEED.event, event, { cursor: 'at_1' });
          };
          state.listeners.add(listener);
          socket.on('disconnect', () => state.listeners.delete(listener));
          acknowledge({ ok: true, cursor: 'at_1', complete: true });
        });
      });
    },
  };
}
