import type { EventBus } from '@skyrun/bus';
import { Problem } from '@skyrun/contracts';
import { type Clock, createSeal, createTicker, type Logger, type ServiceModule } from '@skyrun/kit';
import { appendEvents, createDatabase, createOutboxRelay } from '@skyrun/postgres';
import type { IdentityConfig } from './config.ts';
import type { IdentityContext } from './context.ts';
import { createKeyring } from './keys/keyring.ts';
import { createPasswords } from './passwords/passwords.ts';
import { createRoutes } from './routes.ts';
import { createRefreshTokens } from './sessions/refresh-token.ts';
import { deleteOldFailures } from './store/failures.ts';
import { deleteExpiredSessions } from './store/sessions.ts';
import type { IdentityTables } from './store/tables.ts';
import { firstRun } from './usecases/first-run.ts';

export interface IdentityDeps {
  readonly config: IdentityConfig;
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly logger: Logger;
}

const SOURCE = 'identity';
const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;

/** How long verifiers may hold on to a fetched key set, and replicas to a signing key, before they have seen a new one. */
const KEY_ACTIVATION_MS = 5 * MINUTE_MS;

export function createIdentityService({ config, databaseUrl, bus, clock, logger }: IdentityDeps): ServiceModule {
  const database = createDatabase({ url: databaseUrl, schema: 'identity', applicationName: 'skyrun-identity', logger });
  const relay = createOutboxRelay({ db: database, bus, logger, clock });

  const inTransaction: IdentityContext['inTransaction'] = (work) =>
    database.transaction((tx) =>
      work(tx.kysely<IdentityTables>(), async (drafts) => {
        await appendEvents(tx, SOURCE, drafts, clock);
      }),
    );
  const keyring = createKeyring({
    inTransaction,
    seal: createSeal(config.SKYRUN_KEY_SECRET, 'skyrun identity signing keys'),
    policy: {
      rotateEveryMs: config.SKYRUN_KEY_ROTATION_DAYS * DAY_MS,
      activationMs: KEY_ACTIVATION_MS,
      retireAfterMs: config.SKYRUN_ACCESS_TOKEN_SECONDS * 1000 + MINUTE_MS,
    },
    clock,
    logger,
  });
  const context: IdentityContext = {
    db: database.kysely<IdentityTables>(),
    inTransaction,
    config,
    clock,
    logger,
    keyring,
    passwords: createPasswords(),
    refreshTokens: createRefreshTokens(config.SKYRUN_KEY_SECRET),
  };

  const upkeep = createTicker({
    name: 'identity-upkeep',
    clock,
    logger,
    everyMs: MINUTE_MS,
    async run() {
      await keyring.rotate();
      await deleteExpiredSessions(context.db, clock.now());
      await deleteOldFailures(context.db, clock.now() - DAY_MS);
    },
  });

  let started = false;
  let stopping: Promise<void> | undefined;

  async function begin(): Promise<void> {
    await database.migrate(new URL('./migrations/', import.meta.url));
    await keyring.rotate();
    await firstRun(context);
    await relay.start();
    upkeep.start();
    started = true;
  }

  async function stop(): Promise<void> {
    await upkeep.stop();
    await relay.stop();
    await database.close();
  }

  return {
    name: 'identity',
    api: createRoutes(() => {
      if (!started) throw new Problem('platform.unavailable', { detail: 'identity is starting', retryAfterSeconds: 1 });
      return context;
    }),
    async start() {
      if (stopping) return;
      try {
        await begin();
      } catch (error) {
        // A stop that came during the start has closed what the start still needed.
        if (!stopping) throw error;
        await stopping;
      }
    },
    stop() {
      stopping ??= stop();
      return stopping;
    },
    ready: () => ({ ok: started, checks: { started: started ? 'ok' : 'starting' } }),
  };
}
