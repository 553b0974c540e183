import { type Clock, createTicker, type Logger } from '@skyrun/kit';
import type { EventsConfig } from '../config.ts';
import type { Db } from '../store/tables.ts';
import type { Resolve } from './address.ts';
import { createDeliver } from './deliver.ts';
import { createDestinations } from './destinations.ts';
import { createDispatcher } from './dispatcher.ts';
import { createPushQueue, type PushQueue } from './queue.ts';
import { createSender } from './sender.ts';
import { sealPlainSecrets } from './subscription-store.ts';
import { createSubscriptions, type Subscriptions } from './subscriptions.ts';
import { createVault } from './vault.ts';

const DISPATCH_MS = 1_000;
const SWEEP_MS = 60_000;
const ILL_AFTER = 5;
/** A circuit stays open for so many first pauses. */
const OPEN_PAUSES = 30;

export interface PushOptions {
  readonly db: Db;
  readonly inTransaction: <T>(work: (db: Db) => Promise<T>) => Promise<T>;
  readonly config: EventsConfig;
  readonly redisUrl: string;
  readonly keySecret: string;
  readonly queuePrefix: string;
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Push subscriptions of one process: log → deliveries → queue → destinations. */
export interface Push {
  readonly subscriptions: Subscriptions;
  /** Seals what an older version left unsealed. */
  prepare(): Promise<void>;
  start(): void;
  /** There is something new in the log. */
  wake(): void;
  stop(): Promise<void>;
}

export function createPush({
  db,
  inTransaction,
  config,
  redisUrl,
  keySecret,
  queuePrefix,
  resolve,
  clock,
  logger,
}: PushOptions): Push {
  const vault = createVault(keySecret);
  const retryMs = config.SKYRUN_WEBHOOK_RETRY_MS;
  const addresses = { resolve, allowPrivate: config.SKYRUN_WEBHOOK_ALLOW_PRIVATE };
  const sender = createSender({ ...addresses, clock, timeoutMs: config.SKYRUN_WEBHOOK_TIMEOUT_MS });
  const { admit, circuit } = createDestinations({
    clock,
    concurrency: config.SKYRUN_WEBHOOK_CONCURRENCY,
    threshold: ILL_AFTER,
    openMs: retryMs * OPEN_PAUSES,
  });
  const work = createDeliver({ db, sender, vault, admit, clock, logger, retryMs });
  let queue: PushQueue | undefined;
  let stopped = false;
  const dispatcher = createDispatcher({
    inTransaction,
    clock,
    enqueue: async (ids) => queue?.add(ids),
  });
  const dispatch = createTicker({ name: 'push', clock, logger, everyMs: DISPATCH_MS, run: dispatcher.run });
  const sweep = createTicker({ name: 'push-sweep', clock, logger, everyMs: SWEEP_MS, run: () => dispatcher.sweep() });

  return {
    subscriptions: createSubscriptions({
      inTransaction,
      addresses,
      sender,
      vault,
      circuit,
      clock,
      wake: () => dispatch.wake(),
    }),
    prepare: () => inTransaction((tx) => sealPlainSecrets(tx, vault)),
    start() {
      // A stop that came during the service's start has nothing left to stop.
      if (stopped || queue) return;
      queue = createPushQueue({ redisUrl, prefix: queuePrefix, clock, logger, work, onDone: () => dispatch.wake() });
      dispatch.start();
      sweep.start();
    },
    wake: () => dispatch.wake(),
    async stop() {
      stopped = true;
      await queue?.close();
      await Promise.all([dispatch.stop(), sweep.stop()]);
      sender.close();
    },
  };
}
