import { join } from 'node:path';
import type { EventBus, Subscription } from '@skyrun/bus';
import { OPERATIONS, Problem } from '@skyrun/contracts';
import { type Client, type Clock, createTicker, type Logger, type ServiceModule } from '@skyrun/kit';
import { createDatabase, createOutboxRelay } from '@skyrun/postgres';
import { archiveLimits, type RegistryConfig } from './config.ts';
import { subscribeToObservations } from './consumers.ts';
import { checkDueDomains } from './domains/check-domain.ts';
import { createLookup } from './domains/lookup.ts';
import { createRouteBook } from './feed/route-book.ts';
import { createSpool } from './images/archive/spool.ts';
import { createImageEngine } from './images/image-engine.ts';
import { createImageIntents } from './images/image-intents.ts';
import { createUploadSlots } from './images/upload-slots.ts';
import { createObjectBook } from './kubernetes/object-book.ts';
import { createProjects } from './kubernetes/projects.ts';
import { createKubernetesApi } from './kubernetes/serve.ts';
import { createWatchHub } from './kubernetes/watch-hub.ts';
import { syncObserved } from './observed/sync-observed.ts';
import { type RolloutObserver, runRollouts } from './rollout/run-rollouts.ts';
import { createRoutes } from './routes.ts';
import { resealSecrets } from './secrets/reseal.ts';
import { createVault } from './secrets/vault.ts';
import { publicAddress } from './services/service-state.ts';

export interface RegistryDeps {
  readonly config: RegistryConfig;
  readonly databaseUrl: string;
  readonly bus: EventBus;
  /** A client of the orchestrator that carries the internal token. */
  readonly orchestrator: Client;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** How often the orchestrator is asked for everything it observes, in milliseconds. */
const SYNC_MS = 5000;
/** How soon again when it does not answer, in milliseconds. */
const SYNC_RETRY_MS = 500;

/** How often rollouts are judged, in milliseconds. */
const ROLLOUT_MS = 1000;

/** How often domains whose time has come are looked for, in milliseconds. */
const DOMAINS_MS = 5000;

function rolloutObserver(orchestrator: Client): RolloutObserver {
  return {
    async observe(query, signal) {
      return (await orchestrator.call(OPERATIONS.observeRevisions, { query, signal })).revisions;
    },
  };
}

export function createRegistryService(deps: RegistryDeps): ServiceModule {
  const { config, databaseUrl, bus, orchestrator, clock, logger } = deps;
  const db = createDatabase({
    url: databaseUrl,
    schema: 'registry',
    applicationName: 'skyrun-registry',
    logger,
    clock,
  });
  const relay = createOutboxRelay({ db, bus, logger, clock });
  const address = publicAddress(config.SKYRUN_PUBLIC_URL, config.SKYRUN_BASE_DOMAIN);
  const spool = createSpool(join(config.SKYRUN_DATA_DIR, 'uploads'));
  const engine = createImageEngine(orchestrator, {
    orchestratorUrl: config.SKYRUN_ORCHESTRATOR_URL,
    internalToken: config.SKYRUN_INTERNAL_TOKEN,
  });
  const intents = createImageIntents({ db, engine, clock, logger });
  const book = createRouteBook({ db, clock, logger, address });
  const [os = 'linux', architecture = 'amd64'] = config.SKYRUN_IMAGE_PLATFORM.split('/');
  const traffic = { clock, address, lingerMs: config.SKYRUN_REVISION_LINGER_SECONDS * 1000 };
  const vault = createVault(config.SKYRUN_SECRETS_KEY, config.SKYRUN_SECRETS_PREVIOUS_KEY);
  const lookup = createLookup(config.SKYRUN_DNS_RESOLVER);
  const api = createRoutes({
    db,
    vault,
    lookup,
    ...traffic,
    retainedRevisions: config.SKYRUN_RETAINED_REVISIONS,
    projectDomains: config.SKYRUN_PROJECT_DOMAINS,
    logger,
    spool,
    engine,
    intents,
    book,
    limits: archiveLimits(config),
    platform: { os, architecture },
    slots: createUploadSlots(config.SKYRUN_UPLOAD_CONCURRENCY),
    uploadIdleMs: config.SKYRUN_UPLOAD_IDLE_SECONDS * 1000,
  });

  const objects = createObjectBook({ db, address, keptChanges: config.SKYRUN_KUBERNETES_KEPT_CHANGES });
  const watches = createWatchHub({ db, book: objects, clock, logger });
  const kubernetes = createKubernetesApi({
    db,
    ...traffic,
    retainedRevisions: config.SKYRUN_RETAINED_REVISIONS,
    projectDomains: config.SKYRUN_PROJECT_DOMAINS,
    logger,
    book: objects,
    hub: watches,
    projects: createProjects(config.SKYRUN_IDENTITY_URL),
    bookmarkMs: config.SKYRUN_KUBERNETES_BOOKMARK_SECONDS * 1000,
  });

  const observer = { getObserved: (signal: AbortSignal) => orchestrator.call(OPERATIONS.getObserved, { signal }) };
  const sync = createTicker({
    name: 'registry.sync',
    clock,
    logger,
    everyMs: SYNC_MS,
    async run(signal) {
      try {
        await syncObserved({ db, ...traffic, observer }, signal);
      } catch (error) {
        // It may be starting just as we are: what it knows is worth asking for soon.
        if (!(error instanceof Problem && error.code === 'platform.unavailable')) throw error;
        logger.debug({ error }, 'the orchestrator does not say what it observes');
        await clock.sleep(SYNC_RETRY_MS, signal);
        sync.wake();
      }
    },
  });

  const rollouts = createTicker({
    name: 'registry.rollouts',
    clock,
    logger,
    everyMs: ROLLOUT_MS,
    run: (signal) => runRollouts({ db, ...traffic, logger, observer: rolloutObserver(orchestrator) }, signal),
  });

  const domains = createTicker({
    name: 'registry.domains',
    clock,
    logger,
    everyMs: DOMAINS_MS,
    run: () => checkDueDomains({ db, clock, address, lookup, logger }),
  });

  let subscription: Subscription | undefined;
  let stopped = false;
  return {
    name: 'registry',
    api,
    foreign: kubernetes,
    async start() {
      const left = await spool.prepare();
      if (left > 0) logger.info({ files: left }, 'removed uploads that a crash left behind');
      await db.migrate(new URL('./migrations/', import.meta.url));
      await resealSecrets({ db, vault, logger });
      await book.start();
      await watches.start();
      await relay.start();
      subscription = await subscribeToObservations(bus, { db, ...traffic });
      sync.start();
      rollouts.start();
      domains.start();
      intents.start();
      if (stopped) await subscription.close();
    },
    async stop() {
      stopped = true;
      await subscription?.close();
      await sync.stop();
      await rollouts.stop();
      await domains.stop();
      await intents.stop();
      await watches.stop();
      await book.stop();
      await relay.stop();
      await db.close();
    },
    ready() {
      const routes = book.loaded() ? 'ok' : 'loading';
      return { ok: book.loaded(), checks: { routes } };
    },
  };
}
