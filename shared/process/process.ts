import { type BusConfig, createBus, type EventBus, observeBus, patientBus } from '@skyrun/bus';
import { PLATFORM_GROUPS, type PlatformService } from '@skyrun/contracts';
import {
  type Authenticator,
  type Client,
  type Clock,
  ConfigError,
  type ConfigOf,
  commonConfig,
  createClient,
  createLogger,
  createMetrics,
  createTokenAuthenticator,
  type Logger,
  loadConfig,
  type Metrics,
  offsetClock,
  runService,
  type ServiceModule,
  systemClock,
} from '@skyrun/kit';
import { platformConfig } from './config.ts';

/** For a broker that starts with the process; without it, everything starts all the same. */
const BROKER_WAIT_MS = 2_000;

/** What every service is given by the process that it runs in. */
export interface Platform {
  readonly databaseUrl: string;
  readonly bus: EventBus;
  readonly authenticator: Authenticator;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** A client of another service that carries the internal token. */
  client(service: PlatformService): Client;
}

export interface ProcessOptions {
  /** In logs. */
  readonly name: string;
  /** Makes the services that this process runs, in the order in which they start. */
  create(platform: Platform): readonly ServiceModule[];
}

/**
 * Runs one service alone, or several in one process: reads the environment, connects the bus, listens, starts.
 * Ends the process with 1 and one clear line when the environment does not fit.
 */
export async function runProcess({ name, create }: ProcessOptions): Promise<void> {
  const config = orEnd(name, () => ({ ...loadConfig(commonConfig), ...loadConfig(platformConfig) }));
  const clock = offsetClock(systemClock, config.SKYRUN_CLOCK_OFFSET_MS);
  const logger = createLogger({ service: name, level: config.SKYRUN_LOG_LEVEL });
  const metrics = createMetrics({ defaults: true });
  const internalToken = config.SKYRUN_INTERNAL_TOKEN;
  const broker = await createBus({ ...busAddress(config), clock, logger, connectWaitMs: BROKER_WAIT_MS });
  // Whoever starts first may not speak into the void, and may start before the broker does.
  const patient = patientBus({ bus: broker, groups: Object.values(PLATFORM_GROUPS), clock, logger });
  const bus = observeBus({ bus: patient, clock, logger });
  const authenticator = createTokenAuthenticator({ identityUrl: config.SKYRUN_IDENTITY_URL, internalToken, clock });
  const addresses = serviceAddresses(config);
  const platform: Platform = {
    databaseUrl: config.SKYRUN_DATABASE_URL,
    bus,
    authenticator,
    clock,
    logger,
    metrics,
    client: (service) => createClient({ baseUrl: addresses[service], token: () => internalToken }),
  };
  const modules = orEnd(name, () => create(platform));
  const connection: ServiceModule = {
    name: 'bus',
    start: async () => undefined,
    stop: async () => undefined,
    ready: () => ({ ok: bus.ready(), checks: { broker: bus.ready() ? 'ok' : 'away' } }),
  };
  try {
    await runService({
      modules: [connection, ...modules],
      authenticator,
      logger,
      clock,
      metrics,
      host: config.SKYRUN_LISTEN_HOST,
      port: config.SKYRUN_PORT,
      close: () => bus.close(),
    });
  } catch (error) {
    logger.fatal({ error }, 'could not start');
    process.exit(1);
  }
}

type Config = ConfigOf<typeof commonConfig> & ConfigOf<typeof platformConfig>;

/** Services read their own variables while they are made; what does not fit ends the process with one clear line. */
function orEnd<Result>(name: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    process.stderr.write(`${name}: ${error.message}\n`);
    process.exit(1);
  }
}

function serviceAddresses(config: Config): Record<PlatformService, string> {
  return {
    identity: config.SKYRUN_IDENTITY_URL,
    registry: config.SKYRUN_REGISTRY_URL,
    orchestrator: config.SKYRUN_ORCHESTRATOR_URL,
    events: config.SKYRUN_EVENTS_URL,
    billing: config.SKYRUN_BILLING_URL,
  };
}

function busAddress(config: Config): Pick<BusConfig, 'kind' | 'url' | 'replicas'> {
  const kind = config.SKYRUN_BUS;
  const url = kind === 'redis' ? config.SKYRUN_REDIS_URL : config.SKYRUN_RABBITMQ_URL;
  return { kind, replicas: config.SKYRUN_REDIS_REPLICAS, ...(url === undefined ? {} : { url }) };
}
