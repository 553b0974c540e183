import type { AddressInfo } from 'node:net';
import type { Authenticator } from './auth/authenticator.ts';
import type { Clock } from './clock.ts';
import { createHttpServer } from './http/server.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { ServiceModule } from './service.ts';

export interface RunOptions {
  readonly modules: readonly ServiceModule[];
  readonly authenticator: Authenticator;
  readonly logger: Logger;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly host: string;
  readonly port: number;
  /** Runs last on the way down: bus, database pools. */
  readonly close?: () => Promise<void>;
}

/** How long a stop may take before the process ends anyway. */
const STOP_LIMIT_MS = 15_000;

/**
 * Runs modules in this process: listens, starts them in order, and on SIGTERM or SIGINT stops listening, stops them
 * in reverse order and ends with 0. Listens first, so that modules can ask each other while they start; `/readyz`
 * tells when all do their work.
 */
export async function runService(options: RunOptions): Promise<{ address: AddressInfo; stop(): Promise<void> }> {
  const { modules, logger, clock } = options;
  const http = createHttpServer(options);
  let stopping: Promise<void> | undefined;

  const stop = () => {
    stopping ??= (async () => {
      const closed = http.close();
      for (const module of [...modules].reverse()) {
        try {
          await module.stop();
        } catch (error) {
          logger.error({ module: module.name, error }, 'module did not stop cleanly');
        }
      }
      await closed;
      await options.close?.();
      logger.info('stopped');
    })();
    return stopping;
  };

  const onSignal = (signal: NodeJS.Signals) => {
    logger.info({ signal }, 'stopping');
    const limit = setTimeout(() => {
      logger.error({ limitMs: STOP_LIMIT_MS }, 'stop took too long; ending anyway');
      process.exit(1);
    }, STOP_LIMIT_MS);
    limit.unref();
    stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error }, 'stop failed');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
  process.on('unhandledRejection', (error) => {
    // State is unknown after this; the supervisor starts a fresh process.
    logger.fatal({ error }, 'unhandled rejection');
    process.exit(1);
  });

  const started = clock.monotonic();
  const address = await http.listen();
  logger.info({ host: address.address, port: address.port }, 'listening');
  for (const module of modules) {
    const begun = clock.monotonic();
    await module.start();
    logger.info({ module: module.name, ms: Math.round(clock.monotonic() - begun) }, 'module started');
  }
  logger.info({ ms: Math.round(clock.monotonic() - started) }, 'ready');
  return { address, stop };
}
