import { createBus, type EventBus } from '@skyrun/bus';
import type { AnyEvent } from '@skyrun/contracts';
import { type Client, createClient, loadConfig, type ServiceModule, silentLogger, systemClock } from '@skyrun/kit';
import { serve, tokensOf } from '@skyrun/testing';
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
  // The service asks itself for keys.
  const served = await serve(
    (url) => ({ modules: [module], authenticator: tokensOf(url, INTERNAL_TOKEN, clock) }),
    clock,
  );
  return {
    url: served.url,
    clock,
    events,
    as: (token, address) =>
      createClient({
        baseUrl: served.url,
        token: () => token,
        ...(address
          ? {
              fetch: (input, init) =>
                fetch(input, { ...init, headers: { ...init?.headers, 'x-forwarded-for': address } }),
            }
          : {}),
      }),
    async stop() {
      await served.stop();
      await bus.close();
    },
  };
}
