import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { PERMISSIONS, Problem } from '@skyrun/contracts';
import express, { type Express, type NextFunction, type Request, type Response } from 'express';
import type { Authenticator } from '../auth/authenticator.ts';
import { authorize } from '../auth/authorize.ts';
import type { Clock } from '../clock.ts';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import type { ForeignApi, Readiness, ServiceModule } from '../service.ts';
import { inServerSpan } from '../tracing.ts';
import { answer } from './answer.ts';
import type { Binding } from './api.ts';
import { sendProblem, toProblem } from './problems.ts';

export interface HttpServerOptions {
  readonly modules: readonly ServiceModule[];
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Largest JSON body, e.g. `1mb`. */
  readonly bodyLimit?: string;
}

export interface HttpServer {
  readonly app: Express;
  readonly server: Server;
  /** Resolves with the address once it listens. Rejects with EADDRINUSE and the like. */
  listen(): Promise<AddressInfo>;
  /** Ends idle connections at once, waits up to `graceMs` for the rest, then cuts them. */
  close(graceMs?: number): Promise<void>;
}

/** Express 5 with the operations of some modules, problem+json errors, /healthz, /readyz and /metrics. */
export function createHttpServer(options: HttpServerOptions): HttpServer {
  const { modules, logger, metrics, clock } = options;
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  app.set('query parser', 'simple');

  app.get('/healthz', (_request, response) => {
    response.json({ ok: true });
  });
  app.get('/readyz', (_request, response) => {
    const readiness = combineReadiness(modules);
    response.status(readiness.ok ? 200 : 503).json(readiness);
  });
  app.get('/metrics', async (_request, response) => {
    response.type(metrics.registry.contentType).send(await metrics.registry.metrics());
  });

  const duration = metrics.histogram(
    'skyrun_http_request_duration_seconds',
    'Time from the request’s head to the end of its answer',
    ['operation', 'status'],
    [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10],
  );
  const json = express.json({ limit: options.bodyLimit ?? '1mb', type: ['application/json', 'application/*+json'] });
  for (const binding of modules.flatMap((module) => module.api?.bindings ?? [])) {
    mount(app, binding, { ...options, json, duration, clock });
  }

  for (const { foreign } of modules) {
    if (foreign) mountForeign(app, foreign, { ...options, duration });
  }

  app.use((request: Request) => {
    throw new Problem('resource.not_found', { detail: `there is no ${request.method} ${request.path}` });
  });
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const problem = toProblem(error);
    if (problem.status >= 500) logger.error({ error, method: request.method, path: request.path }, 'request failed');
    sendProblem(response, problem);
  });

  const server = createServer(app);
  // Uploads may take long; the gateway in front bounds idle time. Node's default would cut a request after 5 minutes.
  server.requestTimeout = 0;
  server.keepAliveTimeout = 65_000;
  for (const module of modules) module.attach?.(server);

  return {
    app,
    server,
    listen: () =>
      new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen({ host: options.host, port: options.port }, () => {
          server.off('error', reject);
          resolve(server.address() as AddressInfo);
        });
      }),
    close: (graceMs = 5000) => closeServer(server, clock, graceMs),
  };
}

function closeServer(server: Server, clock: Clock, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) {
      resolve();
      return;
    }
    const cancel = clock.setTimeout(graceMs, () => server.closeAllConnections());
    server.close(() => {
      cancel();
      resolve();
    });
    server.closeIdleConnections();
  });
}

function combineReadiness(modules: readonly ServiceModule[]): Readiness {
  const checks: Record<string, string> = {};
  let ok = true;
  for (const module of modules) {
    const readiness = module.ready();
    ok &&= readiness.ok;
    for (const [name, state] of Object.entries(readiness.checks)) checks[`${module.name}.${name}`] = state;
  }
  return { ok, checks };
}

function mountForeign(
  app: Express,
  foreign: ForeignApi,
  options: Pick<MountOptions, 'authenticator' | 'duration' | 'clock'>,
): void {
  app.use(foreign.path, async (request: Request, response: Response) => {
    const started = options.clock.monotonic();
    response.once('close', () => {
      options.duration.observe(
        { operation: foreign.name, status: String(response.statusCode) },
        (options.clock.monotonic() - started) / 1000,
      );
    });
    await inServerSpan(foreign.name, request.headers, () => foreign.handle(request, response, options.authenticator));
  });
}

interface MountOptions extends HttpServerOptions {
  readonly json: ReturnType<typeof express.json>;
  readonly duration: ReturnType<Metrics['histogram']>;
}

function mount(app: Express, binding: Binding, options: MountOptions): void {
  const { operation } = binding;
  if (!PERMISSIONS.includes(operation.permission)) throw new Error(`${operation.id} declares no known permission`);
  const path = operation.path.replace(/\{(\w+)\}/g, ':$1');
  const handle = async (request: Request, response: Response) => {
    const started = options.clock.monotonic();
    response.once('close', () => {
      options.duration.observe(
        { operation: operation.id, status: String(response.statusCode) },
        (options.clock.monotonic() - started) / 1000,
      );
    });
    await inServerSpan(operation.id, request.headers, () => answer(binding, request, response, options));
  };
  // Permission is checked before the body is read: a stranger cannot make us parse one.
  if (operation.rawBody) app[operation.method](path, handle);
  else app[operation.method](path, authorizeFirst(binding, options), options.json, handle);
}

function authorizeFirst(binding: Binding, options: HttpServerOptions) {
  return async (request: Request, response: Response, next: NextFunction) => {
    response.locals['caller'] = await authorize(binding.operation, request, options.authenticator);
    next();
  };
}
