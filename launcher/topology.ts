import { hkdfSync } from 'node:crypto';
import { cpus } from 'node:os';
import { join } from 'node:path';
import type { PlatformService } from '@skyrun/contracts';
import { GATEWAY_ENVIRONMENT, GATEWAY_SWITCHES } from '@skyrun/gateway/switches';
import type { ServerProcess } from './infra/index.ts';
import type { Installation } from './installation.ts';
import type { Layout } from './layout.ts';

/** One machine: all services in one process, events over Redis. Distributed: a process per service, events over RabbitMQ. */
export type Shape = 'one-machine' | 'distributed';

export interface ProcessSpec extends ServerProcess {
  readonly name: string;
  readonly port: number;
  /** Processes that must be ready before this one starts. */
  readonly startsAfter: readonly string[];
  /** Processes that end only when this one has. */
  readonly endsBefore: readonly string[];
  /** Arguments of the same command, run in the same environment when this process has ended for good. */
  readonly afterEnd?: readonly string[];
}

export interface TopologyPorts {
  /** What the world connects to. */
  readonly gateway: number;
  /** Addresses of the platform's services; in the one-machine shape all are the same. */
  readonly services: Readonly<Record<PlatformService, number>>;
  /** One administration port per gateway process. */
  readonly gatewayAdmin: readonly number[];
  readonly postgres: number;
  readonly redis: number;
  readonly rabbitmq: number;
  readonly epmd: number;
}

export interface TopologyConfig {
  readonly shape: Shape;
  readonly layout: Layout;
  readonly installation: Installation;
  readonly ports: TopologyPorts;
  /** The node binary. */
  readonly node: string;
  /** File that a gateway is run from. */
  readonly gatewayProgram: string;
  readonly listenHost: string;
  readonly baseDomain: string;
  readonly databaseUrl: string;
  readonly redisUrl: string;
  readonly rabbitmqUrl: string;
  readonly dockerSocket: string;
  /** The operator's own SKYRUN_* and OTEL_* variables; they win over ours. */
  readonly environment: Readonly<Record<string, string>>;
  readonly servers: {
    readonly postgres: ServerProcess;
    readonly redis: ServerProcess;
    readonly epmd?: ServerProcess;
    readonly rabbitmq?: ServerProcess;
  };
}

/** Gateways use the cores that the control plane, stores and tenants leave: all but one, at least one. */
export function gatewayCount(cores = cpus().length): number {
  return Math.max(1, cores - 1);
}

const SERVICE_FILES: readonly { readonly service: PlatformService; readonly file: string }[] = [
  { service: 'identity', file: 'services/identity/main.ts' },
  { service: 'registry', file: 'services/registry/main.ts' },
  { service: 'orchestrator', file: 'services/orchestrator/main.ts' },
  { service: 'events', file: 'services/events/main.ts' },
  { service: 'billing', file: 'billing/main.ts' },
];

/** Every process of an installation, in an order in which each follows what it depends on. */
export function topology(config: TopologyConfig): ProcessSpec[] {
  const { servers, ports } = config;
  const stores: ProcessSpec[] = [
    { ...servers.postgres, name: 'postgres', port: ports.postgres, startsAfter: [], endsBefore: [] },
    { ...servers.redis, name: 'redis', port: ports.redis, startsAfter: [], endsBefore: [] },
  ];
  if (servers.epmd && servers.rabbitmq) {
    stores.push({ ...servers.epmd, name: 'epmd', port: ports.epmd, startsAfter: [], endsBefore: [] });
    stores.push({
      ...servers.rabbitmq,
      name: 'rabbitmq',
      port: ports.rabbitmq,
      startsAfter: ['epmd'],
      endsBefore: ['epmd'],
    });
  }
  const storeNames = stores.map((store) => store.name);
  const services =
    config.shape === 'one-machine' ? [controlProcess(config, storeNames)] : serviceProcesses(config, storeNames);
  const serviceNames = services.map((service) => service.name);
  const gateways = ports.gatewayAdmin.map((port, index) =>
    gatewayProcess(config, index + 1, port, [...serviceNames, ...storeNames]),
  );
  return [...stores, ...services, ...gateways];
}

/** Whether the operator keeps the value in a file; then it is in no environment. */
const inFile = (name: string, environment: Readonly<Record<string, string>>): boolean => `${name}_FILE` in environment;

/** What only identity may know; no other process has it in its environment. */
function identitySecrets({ installation, environment }: TopologyConfig): Readonly<Record<string, string>> {
  const ours = {
    SKYRUN_KEY_SECRET: installation.keySecret,
    SKYRUN_ADMIN_EMAIL: installation.adminEmail,
    SKYRUN_ADMIN_PASSWORD: installation.adminPassword,
    SKYRUN_FIRST_PROJECT: 'demo',
  };
  return Object.fromEntries(
    Object.entries(ours)
      .filter(([name]) => !inFile(name, environment))
      .map(([name, value]) => [name, environment[name] ?? value]),
  );
}

/** Derived as well; where the operator brings a key of their own, the derived one is what sealed before. */
function registrySecrets({ installation, environment }: TopologyConfig): Readonly<Record<string, string>> {
  const derived = Buffer.from(hkdfSync('sha256', installation.keySecret, 'skyrun', 'project secrets key', 32));
  const own = environment['SKYRUN_SECRETS_KEY'];
  const kept = inFile('SKYRUN_SECRETS_KEY', environment);
  const before = own === undefined && !kept ? undefined : derived.toString('hex');
  const previous = environment['SKYRUN_SECRETS_PREVIOUS_KEY'] ?? before;
  return {
    ...(kept ? {} : { SKYRUN_SECRETS_KEY: own ?? derived.toString('hex') }),
    ...(previous === undefined || inFile('SKYRUN_SECRETS_PREVIOUS_KEY', environment)
      ? {}
      : { SKYRUN_SECRETS_PREVIOUS_KEY: previous }),
  };
}

/** Derived, so that installations from before have one too; who learns it learns nothing of the key secret. */
function eventsSecrets({ installation, environment }: TopologyConfig): Readonly<Record<string, string>> {
  if (inFile('SKYRUN_WEBHOOK_KEY_SECRET', environment)) return {};
  const derived = Buffer.from(hkdfSync('sha256', installation.keySecret, 'skyrun', 'webhook key secret', 32)).toString(
    'hex',
  );
  return { SKYRUN_WEBHOOK_KEY_SECRET: environment['SKYRUN_WEBHOOK_KEY_SECRET'] ?? derived };
}

/** While PostgreSQL still runs: what the containers used up to now is written down. */
const STOP_CONTAINERS = ['services/orchestrator/stop-main.ts'];

function controlProcess(config: TopologyConfig, stores: readonly string[]): ProcessSpec {
  const own = {
    SKYRUN_DATA_DIR: config.layout.control,
    ...identitySecrets(config),
    ...eventsSecrets(config),
    ...registrySecrets(config),
  };
  const port = config.ports.services.identity;
  const control = nodeProcess(config, 'control', port, ['launcher/control-main.ts'], own);
  return { ...control, startsAfter: stores, endsBefore: stores, afterEnd: STOP_CONTAINERS };
}

const SECRETS_OF: Partial<Record<PlatformService, (config: TopologyConfig) => Readonly<Record<string, string>>>> = {
  identity: identitySecrets,
  events: eventsSecrets,
  registry: registrySecrets,
};

function serviceProcesses(config: TopologyConfig, stores: readonly string[]): ProcessSpec[] {
  return SERVICE_FILES.map(({ service, file }) => {
    const own = { SKYRUN_DATA_DIR: join(config.layout.control, service), ...(SECRETS_OF[service]?.(config) ?? {}) };
    const process = nodeProcess(config, service, config.ports.services[service], [file], own);
    const common = { ...process, startsAfter: stores, endsBefore: stores };
    return service === 'orchestrator' ? { ...common, afterEnd: STOP_CONTAINERS } : common;
  });
}

function gatewayProcess(
  config: TopologyConfig,
  index: number,
  adminPort: number,
  platform: readonly string[],
): ProcessSpec {
  const name = `gateway-${index}`;
  return {
    ...nodeProcess(
      config,
      name,
      config.ports.gateway,
      [...GATEWAY_SWITCHES, config.gatewayProgram],
      {
        ...GATEWAY_ENVIRONMENT,
        SKYRUN_LISTEN_HOST: config.listenHost,
        SKYRUN_GATEWAY_ID: name,
        SKYRUN_GATEWAY_ADMIN_PORT: String(adminPort),
        SKYRUN_UI_DIR: join(config.layout.root, 'ui', 'dist'),
        SKYRUN_DATA_DIR: join(config.layout.gateways, name),
        SKYRUN_TLS_DIR: config.environment['SKYRUN_TLS_DIR'] ?? config.layout.tls,
      },
      { tracesItself: true },
    ),
    // It waits for nobody: a gateway serves from its last snapshot and catches up when the registry answers. It ends first,
    // so that what it has metered is still taken in.
    endsBefore: platform,
    stopGraceMs: gatewayGraceMs(config.environment['SKYRUN_GATEWAY_DRAIN_MS']),
    ready: { kind: 'http', url: `http://127.0.0.1:${adminPort}/readyz` },
  };
}

/** Its drain, by default 10 s, and then as long again to publish what it has metered. What is no number it refuses itself. */
function gatewayGraceMs(drainMs: string | undefined): number {
  const drain = Number(drainMs ?? 10_000);
  return Number.isFinite(drain) ? drain + 10_000 : 20_000;
}

function nodeProcess(
  config: TopologyConfig,
  name: string,
  port: number,
  args: readonly string[],
  own: Readonly<Record<string, string>>,
  { tracesItself = false }: { readonly tracesItself?: boolean } = {},
): ProcessSpec {
  const { installation, ports, layout } = config;
  // Loading OpenTelemetry costs every process 0.3 s of CPU and 20 MB, so only who asked for traces pays.
  const traced = 'OTEL_EXPORTER_OTLP_ENDPOINT' in config.environment;
  const tracing = traced && !tracesItself ? ['--import', './observability/register.ts'] : [];
  const address = (service: PlatformService): string => `http://127.0.0.1:${ports.services[service]}`;
  return {
    name,
    port,
    startsAfter: [],
    endsBefore: [],
    command: config.node,
    args: [...tracing, ...args],
    cwd: layout.root,
    env: {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      NODE_ENV: 'production',
      NODE_COMPILE_CACHE: layout.compileCache,
      OTEL_SERVICE_NAME: name,
      SKYRUN_INSTALLATION: installation.id,
      SKYRUN_LISTEN_HOST: '127.0.0.1',
      ...(inFile('SKYRUN_INTERNAL_TOKEN', config.environment)
        ? {}
        : { SKYRUN_INTERNAL_TOKEN: installation.internalToken }),
      SKYRUN_BASE_DOMAIN: config.baseDomain,
      SKYRUN_PUBLIC_URL: `http://${config.baseDomain}:${ports.gateway}`,
      SKYRUN_DATABASE_URL: config.databaseUrl,
      SKYRUN_BUS: config.shape === 'one-machine' ? 'redis' : 'rabbitmq',
      SKYRUN_REDIS_URL: config.redisUrl,
      ...(config.shape === 'distributed' ? { SKYRUN_RABBITMQ_URL: config.rabbitmqUrl } : {}),
      SKYRUN_DOCKER_SOCKET: config.dockerSocket,
      SKYRUN_IDENTITY_URL: address('identity'),
      SKYRUN_REGISTRY_URL: address('registry'),
      SKYRUN_ORCHESTRATOR_URL: address('orchestrator'),
      SKYRUN_EVENTS_URL: address('events'),
      SKYRUN_BILLING_URL: address('billing'),
      ...config.environment,
      ...own,
      SKYRUN_PORT: String(port),
    },
    account: null,
    deathSignal: 'SIGKILL',
    stopSignal: 'SIGTERM',
    stopGraceMs: 20_000,
    ready: { kind: 'http', url: `http://127.0.0.1:${port}/readyz` },
    readyWithinMs: 60_000,
  };
}
