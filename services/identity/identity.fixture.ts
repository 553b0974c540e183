import { createBus, type EventBus } from '@skyrun/bus';
import { type AnyEvent, Problem } from '@skyrun/contracts';
import {
  type Client,
  createClient,
  createHttpServer,
  createMetrics,
  createTokenAuthenticator,
  type HttpServer,
  loadConfig,
  type ServiceModule,
  silentLogger,
  systemClock,
} from '@skyrun/kit';
import { createIdentityService, identityConfig } from './index.ts';

export const INTERNAL_TOKEN = 'internal-token-of-this-test-0123456789';
export const ADMIN = { email: 'root@example.com', password: 'first-run-password' };
export const ENVIRONMENT = {
  SKYRUN_KEY_SECRET: 'a-key-secret-that-is-long-enough-for-tests',
  SKYRUN_ADMIN_EMAIL: ADMIN.email,
  SKYRUN_ADMIN_PASSWORD: ADMIN.password,
  SKYRUN_FIRST_PROJECT: 'demo',
};

/** The system's time, moved on by a test. */
export class ShiftedClock {
  shiftMs = 0;
  now = () => systemClock.now() + this.shiftMs;
  monotonic = () => systemClock.monotonic();
  sleep = systemClock.sleep.bind(systemClock);
  setTimeout = systemClock.setTimeout.bind(systemClock);
}

export interface Running {
  readonly url: string;
  readonly clock: ShiftedClock;
  readonly events: AnyEvent[];
  /** A client with a token, or none. */
  as(token: string | null, address?: string): Client;
  stop(): Promise<void>;
}

export async function startIdentity(
  databaseUrl: string,
  environment: Record<string, string> = ENVIRONMENT,
): Promise<Running> {
  const clock = new ShiftedClock();
  const bus: EventBus = await createBus({ kind: 'memory', clock, logger: silentLogger });
  const events: AnyEvent[] = [];
  await bus.subscribe({
    group: 'test',
    types: ['*'],
    handler: async (event) => {
      events.push(event);
    },
  });
  const module: ServiceModule = createIdentityService({
    config: loadConfig(identityConfig, environment),
    databaseUrl,
    bus,
    clock,
    logger: silentLogger,
  });
  let identityUrl = '';
  // The server must exist before its port is known, as the service asks itself for keys.
  const lazy = () => createTokenAuthenticator({ identityUrl, internalToken: INTERNAL_TOKEN, clock });
  let authenticator: ReturnType<typeof lazy> | undefined;
  const http: HttpServer = createHttpServer({
    modules: [module],
    authenticator: {
      authenticate: (headers) => {
        authenticator ??= lazy();
        return authenticator.authenticate(headers);
      },
      can: (caller, permission, project) => {
        authenticator ??= lazy();
        return authenticator.can(caller, permission, project);
      },
    },
    logger: silentLogger,
    clock,
    metrics: createMetrics(),
    host: '127.0.0.1',
    port: 0,
  });
  const { port } = await http.listen();
  identityUrl = `http://127.0.0.1:${port}`;
  await module.start();
  return {
    url: identityUrl,
    clock,
    events,
    as: (token, address) =>
      createClient({
        baseUrl: identityUrl,
        token: () => token,
        ...(address
          ? {
              fetch: (input, init) =>
                fetch(input, { ...init, headers: { ...init?.headers, 'x-forwarded-for': address } }),
            }
          : {}),
      }),
    async stop() {
      await http.close(100);
      await module.stop();
      await module.stop();
      await bus.close();
    },
  };
}

export async function problemOf(work: Promise<unknown>): Promise<Problem> {
  try {
    await work;
  } catch (error) {
    if (error instanceof Problem) return error;
    throw error;
  }
  throw new Error('expected a problem');
}

export async function until(check: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 250; tries += 1) {
    if (await check()) return;
    await systemClock.sleep(20);
  }
  throw new Error('it did not happen within 5 s');
}
