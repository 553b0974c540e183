import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createBus, patientBus } from '@skyrun/bus';
import { PLATFORM_GROUPS } from '@skyrun/contracts';
import { createClient, createHttpTransport, createLogger, loadConfig, systemClock } from '@skyrun/kit/base';
import { createGateway } from './app.ts';
import { lowerCompilers } from './compilers.ts';
import { gatewayConfig } from './config.ts';
import { createCallTransport } from './control/call-transport.ts';
import { createRedisBuckets } from './limit/redis-buckets.ts';

lowerCompilers();
const config = loadConfig(gatewayConfig);
const clock = systemClock;
const logger = createLogger({ service: config.SKYRUN_GATEWAY_ID, level: config.SKYRUN_LOG_LEVEL });
const token = () => config.SKYRUN_INTERNAL_TOKEN;
const transport = createHttpTransport();
const calls = createCallTransport({ clock, otherwise: transport });
const url = config.SKYRUN_BUS === 'redis' ? config.SKYRUN_REDIS_URL : config.SKYRUN_RABBITMQ_URL;
const broker = await createBus({
  kind: config.SKYRUN_BUS,
  ...(url === undefined ? {} : { url }),
  replicas: config.SKYRUN_REDIS_REPLICAS,
  clock,
  logger,
  connectWaitMs: 0,
});
// What it publishes first must find the groups of those who wait for it.
const bus = patientBus({ bus: broker, groups: Object.values(PLATFORM_GROUPS), clock, logger });

const tlsDir = config.SKYRUN_TLS_DIR ?? join(config.SKYRUN_DATA_DIR, 'tls');
const acme =
  config.SKYRUN_ACME_URL === undefined
    ? null
    : {
        directoryUrl: config.SKYRUN_ACME_URL,
        email: config.SKYRUN_ACME_EMAIL ?? null,
        trust:
          config.SKYRUN_ACME_TRUST_FILE === undefined ? null : await readFile(config.SKYRUN_ACME_TRUST_FILE, 'utf8'),
        hosts: config.SKYRUN_ACME_HOSTS,
      };
const sharedBuckets =
  config.SKYRUN_REDIS_URL === undefined ? null : createRedisBuckets(config.SKYRUN_REDIS_URL, logger);
const gateway = createGateway({
  id: config.SKYRUN_GATEWAY_ID,
  host: config.SKYRUN_LISTEN_HOST,
  port: config.SKYRUN_PORT,
  adminPort: config.SKYRUN_GATEWAY_ADMIN_PORT,
  reusePort: config.SKYRUN_GATEWAY_REUSE_PORT,
  baseDomain: config.SKYRUN_BASE_DOMAIN,
  dataDir: config.SKYRUN_DATA_DIR,
  uiDir: config.SKYRUN_UI_DIR,
  platform: {
    identity: config.SKYRUN_IDENTITY_URL,
    registry: config.SKYRUN_REGISTRY_URL,
    orchestrator: config.SKYRUN_ORCHESTRATOR_URL,
    events: config.SKYRUN_EVENTS_URL,
    billing: config.SKYRUN_BILLING_URL,
  },
  registry: createClient({ baseUrl: config.SKYRUN_REGISTRY_URL, token, transport }),
  orchestrator: createClient({ baseUrl: config.SKYRUN_ORCHESTRATOR_URL, token, transport: calls }),
  billing: createClient({ baseUrl: config.SKYRUN_BILLING_URL, token, transport: calls }),
  identity: createClient({ baseUrl: config.SKYRUN_IDENTITY_URL, token, transport: calls }),
  events: createClient({ baseUrl: config.SKYRUN_EVENTS_URL, token, transport: calls }),
  sharedBuckets,
  bus,
  clock,
  logger,
  ...(config.SKYRUN_ACCESS_LOG === undefined
    ? {}
    : {
        accessLog: {
          path: config.SKYRUN_ACCESS_LOG,
          ratio: config.SKYRUN_ACCESS_LOG_RATIO,
          query: config.SKYRUN_ACCESS_LOG_QUERY,
        },
      }),
  ...(config.OTEL_EXPORTER_OTLP_ENDPOINT === undefined
    ? {}
    : {
        traces: {
          endpoint: config.OTEL_EXPORTER_OTLP_ENDPOINT,
          headers: config.OTEL_EXPORTER_OTLP_HEADERS,
          ratio: config.OTEL_TRACES_SAMPLER_ARG,
        },
      }),
  tls: {
    port: config.SKYRUN_TLS_PORT ?? null,
    certificateDir: tlsDir,
    developmentDir: config.SKYRUN_TLS_DEVELOPMENT ? join(tlsDir, 'development') : null,
    acme,
  },
  limits: {
    waitMs: config.SKYRUN_GATEWAY_WAIT_MS,
    roomBounds: { requests: config.SKYRUN_GATEWAY_QUEUE, bytes: config.SKYRUN_GATEWAY_QUEUE_BYTES },
    headerMs: config.SKYRUN_GATEWAY_HEADER_MS,
    idleMs: config.SKYRUN_GATEWAY_IDLE_MS,
    stallMs: config.SKYRUN_GATEWAY_STALL_MS,
    drainMs: config.SKYRUN_GATEWAY_DRAIN_MS,
  },
  caps: {
    total: config.SKYRUN_GATEWAY_CONNECTIONS,
    perAddress: config.SKYRUN_GATEWAY_ADDRESS_CONNECTIONS,
  },
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.once(signal, () => {
    logger.info({ signal }, 'stopping');
    gateway
      .stop()
      .then(() => {
        sharedBuckets?.close();
        return bus.close();
      })
      .then(
        () => process.exit(0),
        (error: unknown) => {
          logger.error({ error }, 'did not stop cleanly');
          process.exit(1);
        },
      );
  });
}
process.on('SIGHUP', () => gateway.reopenLog());
process.on('unhandledRejection', (error) => {
  // State is unknown after this; the supervisor starts a fresh process, and the spool holds all but the last second.
  logger.fatal({ error }, 'unhandled rejection');
  process.exit(1);
});

if (await gateway.start()) {
  const { address, port } = gateway.address();
  logger.info({ host: address, port, adminPort: gateway.adminAddress().port }, 'listening');
}
