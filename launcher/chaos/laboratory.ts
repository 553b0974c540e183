import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BusKind, createBus, type EventBus } from '@skyrun/bus';
import { PLATFORM_SERVICES, type PlatformService } from '@skyrun/contracts';
import { type Clock, silentLogger } from '@skyrun/kit';
import { createDatabase, type Database } from '@skyrun/postgres';
import { z } from 'zod';
import {
  freePort,
  postgresUrl,
  preparePostgres,
  prepareRabbitmq,
  prepareRedis,
  rabbitmqUrl,
  redisUrl,
} from '../infra/index.ts';
import { openInstallation } from '../installation.ts';
import { layoutOf } from '../layout.ts';
import { isRunning, processId } from '../process-id.ts';
import { type ProcessSpec, type TopologyPorts, topology } from '../topology.ts';
import { type Link, openLink } from './link.ts';
import { Party, type PartyKind, type PartySpec } from './party.ts';

const ownerSchema = z.object({ pid: z.int(), start: z.string() });
const DATABASE = 'skyrun';
const PREFIX = 'skyrun-chaos-';
const CONSUMERS = 2;
/** Megabytes of the small disks. RabbitMQ stops at 200 free, so its disk has more. */
const DISK_MB = 1_200;

export type BrokerKind = Extract<BusKind, 'redis' | 'rabbitmq'>;

export interface Laboratory {
  readonly broker: BrokerKind;
  readonly url: string;
  readonly email: string;
  readonly password: string;
  readonly logs: string;
  readonly parties: readonly Party[];
  /** Every way from a Skyrun process or consumer to a server or another process. */
  readonly links: readonly Link[];
  /** The consumers' database, by the direct way. */
  readonly effects: Database;
  /** By the direct way. */
  readonly bus: EventBus;
  /** Mount points of the small disks of database and broker; empty where this account may not mount. */
  readonly disks: readonly string[];
  party(name: string): Party;
  of(kind: PartyKind): readonly Party[];
  end(keep: boolean): Promise<void>;
}

export interface LaboratoryOptions {
  readonly root: string;
  readonly node: string;
  readonly broker: BrokerKind;
  readonly clock: Clock;
  /** Put the servers' data on small disks of their own, which can be filled. */
  readonly smallDisks: boolean;
  /** The broker starts when this has resolved, and everything else before. Otherwise after the broker. */
  readonly beforeBroker?: (services: readonly Party[]) => Promise<void>;
}

/** A whole Skyrun of its own below the temporary directory, in the shape that goes with the broker, and two team services. */
export async function openLaboratory(options: LaboratoryOptions): Promise<Laboratory> {
  const { root, broker, clock } = options;
  sweep();
  const base = mkdtempSync(join(tmpdir(), PREFIX));
  chmodSync(base, 0o711);
  const own = processId(process.pid);
  writeFileSync(join(base, 'owner.json'), JSON.stringify(own));
  const disk = (name: string) => join(base, 'disks', name);
  const layout = {
    ...layoutOf(root, join(base, 'data')),
    compileCache: layoutOf(root).compileCache,
    postgres: join(disk('postgres'), 'files'),
    redis: join(disk('redis'), 'files'),
    rabbitmq: join(disk('rabbitmq'), 'files'),
  };
  mkdirSync(layout.logs, { recursive: true });
  for (const name of ['postgres', 'redis', 'rabbitmq']) mkdirSync(disk(name), { recursive: true, mode: 0o711 });
  const disks = options.smallDisks ? smallDisks([disk('postgres'), disk(broker)]) : [];
  const installation = openInstallation(layout.secrets);
  const distributed = broker === 'rabbitmq';
  const ports = await choosePorts(distributed);
  const rabbitmq = distributed
    ? prepareRabbitmq({
        dataDir: layout.rabbitmq,
        port: ports.rabbitmq,
        epmdPort: ports.epmd,
        distributionPort: await freePort(),
        password: installation.rabbitmqPassword,
        cookie: installation.erlangCookie,
      })
    : null;
  const urls = {
    postgres: postgresUrl(ports.postgres, installation.postgresPassword, DATABASE),
    redis: redisUrl(ports.redis, installation.redisPassword),
    rabbitmq: rabbitmqUrl(ports.rabbitmq, installation.rabbitmqPassword),
  };
  const specs = topology({
    shape: distributed ? 'distributed' : 'one-machine',
    layout,
    installation,
    ports,
    node: options.node,
    gatewayProgram: 'gateway/main.ts',
    listenHost: '127.0.0.1',
    baseDomain: 'localhost',
    databaseUrl: urls.postgres,
    redisUrl: urls.redis,
    rabbitmqUrl: urls.rabbitmq,
    dockerSocket: '/var/run/docker.sock',
    environment: {},
    servers: {
      postgres: preparePostgres({
        dataDir: layout.postgres,
        port: ports.postgres,
        password: installation.postgresPassword,
        database: DATABASE,
        binaryCache: layout.shared,
        durable: true,
      }),
      redis: prepareRedis({
        dataDir: layout.redis,
        port: ports.redis,
        password: installation.redisPassword,
        aof: true,
      }),
      ...(rabbitmq === null ? {} : { epmd: rabbitmq.epmd, rabbitmq: rabbitmq.broker }),
    },
  });

  const links: Link[] = [];
  const link = async (from: string, to: string, port: number) => {
    const opened = await openLink(`${from} → ${to}`, port, clock);
    links.push(opened);
    return opened.port;
  };
  const brokerPort = distributed ? ports.rabbitmq : ports.redis;
  /** The same environment, with every server behind a link of this party's own. */
  const linked = async ({ name, env }: ProcessSpec) => {
    const postgres = await link(name, 'postgres', ports.postgres);
    const bus = await link(name, broker, brokerPort);
    const busName = distributed ? 'SKYRUN_RABBITMQ_URL' : 'SKYRUN_REDIS_URL';
    const front = name.startsWith('gateway')
      ? {
          SKYRUN_IDENTITY_URL: `http://127.0.0.1:${await link(name, 'identity', ports.services.identity)}`,
          SKYRUN_EVENTS_URL: `http://127.0.0.1:${await link(name, 'events', ports.services.events)}`,
        }
      : {};
    return {
      ...env,
      ...front,
      SKYRUN_DATABASE_URL: withPort(urls.postgres, postgres),
      [busName]: withPort(urls[broker], bus),
      // One session lasts a whole run.
      SKYRUN_ACCESS_TOKEN_SECONDS: '3600',
    };
  };
  const parties: Party[] = [];
  const add = (spec: PartySpec) => {
    parties.push(new Party(spec, join(layout.logs, `${spec.name}.log`), clock));
  };
  for (const spec of specs) {
    const kind = kindOf(spec.name, broker);
    add({ ...spec, kind, env: kind === 'service' ? await linked(spec) : spec.env });
  }
  for (let index = 1; index <= CONSUMERS; index += 1) {
    const name = `consumer-${index}`;
    const template = specs.find((spec) => spec.name.startsWith('gateway'));
    if (template === undefined) throw new Error('the topology has no gateway');
    add({
      ...template,
      name,
      kind: 'consumer',
      args: ['client/examples/team-service.ts'],
      ready: null,
      env: {
        PATH: template.env['PATH'] ?? '',
        NODE_COMPILE_CACHE: layout.compileCache,
        SKYRUN_BUS: broker,
        SKYRUN_BUS_URL: withPort(urls[broker], await link(name, broker, brokerPort)),
        TALLY_DATABASE_URL: withPort(urls.postgres, await link(name, 'postgres', ports.postgres)),
      },
    });
  }

  const effects = createDatabase({
    url: urls.postgres,
    schema: 'tally',
    applicationName: 'chaos',
    poolSize: 2,
    logger: silentLogger,
    clock,
  });
  let bus: EventBus | undefined;

  const end = async (keep: boolean) => {
    await bus?.close();
    await effects.close();
    for (const party of parties) party.retire();
    for (const kind of ['consumer', 'service', 'broker', 'cache', 'database', 'helper'] as const) {
      await Promise.all(parties.filter((party) => party.spec.kind === kind).map((party) => party.end()));
    }
    await Promise.all(links.map((one) => one.close()));
    dismantle(base, keep);
  };
  try {
    if (options.beforeBroker === undefined) await inOrder(parties);
    else await brokerLast(parties, options.beforeBroker);
    bus = await createBus({ kind: broker, url: urls[broker], clock, logger: silentLogger });
    await untilCounting(
      parties.filter(({ spec }) => spec.kind === 'consumer'),
      clock,
    );
  } catch (error) {
    await end(true);
    throw error;
  }
  return {
    broker,
    url: `http://127.0.0.1:${ports.gateway}`,
    email: installation.adminEmail,
    password: installation.adminPassword,
    logs: layout.logs,
    parties,
    links,
    effects,
    bus,
    disks,
    party(name) {
      const found = parties.find((party) => party.name === name);
      if (found === undefined) throw new Error(`the laboratory has no ${name}`);
      return found;
    },
    of: (kind) => parties.filter((party) => party.spec.kind === kind),
    end,
  };
}

async function brokerLast(parties: readonly Party[], beforeBroker: (services: readonly Party[]) => Promise<void>) {
  const up = (kinds: readonly PartyKind[]) =>
    Promise.all(parties.filter((party) => kinds.includes(party.spec.kind)).map((party) => party.up()));
  await up(['helper', 'database', 'cache']);
  // Ready they are only with the broker.
  const others = up(['service', 'consumer']);
  await Promise.race([beforeBroker(parties.filter(({ spec }) => spec.kind === 'service')), others]);
  await up(['broker']);
  await others;
}

async function inOrder(parties: readonly Party[]): Promise<void> {
  for (const kinds of [['helper', 'database', 'cache'], ['broker'], ['service'], ['consumer']]) {
    await Promise.all(parties.filter((party) => kinds.includes(party.spec.kind)).map((party) => party.up()));
  }
}

/** From then on the group keeps what comes while its consumers are down. */
async function untilCounting(consumers: readonly Party[], clock: Clock): Promise<void> {
  const until = clock.monotonic() + 120_000;
  while (!consumers.every((party) => party.tail().includes('"counting"'))) {
    if (clock.monotonic() > until) throw new Error('the consumers do not come up');
    await clock.sleep(100);
  }
}

function kindOf(name: string, broker: BrokerKind): PartyKind {
  if (name === 'postgres') return 'database';
  if (name === 'epmd') return 'helper';
  if (name === 'rabbitmq') return 'broker';
  if (name === 'redis') return broker === 'redis' ? 'broker' : 'cache';
  return 'service';
}

function withPort(url: string, port: number): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}

async function choosePorts(distributed: boolean): Promise<TopologyPorts> {
  const ports = new Set<number>();
  while (ports.size < PLATFORM_SERVICES.length + 6) ports.add(await freePort());
  const [gateway = 0, admin = 0, postgres = 0, redis = 0, rabbitmq = 0, epmd = 0, ...rest] = ports;
  const services = Object.fromEntries(
    PLATFORM_SERVICES.map((service, index) => [service, rest[distributed ? index : 0] ?? 0]),
  ) as Record<PlatformService, number>;
  return { gateway, services, gatewayAdmin: [admin], postgres, redis, rabbitmq, epmd };
}

function smallDisks(places: readonly string[]): string[] {
  const mounted: string[] = [];
  for (const place of places) {
    const options = `size=${DISK_MB}m,mode=0711`;
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'skyrun-chaos', place]).status === 0) mounted.push(place);
  }
  return mounted;
}

/** Unmounts what is mounted below, then removes, or keeps the rest until the next laboratory. */
function dismantle(base: string, keep = false): void {
  for (const name of ['postgres', 'redis', 'rabbitmq']) {
    const disk = join(base, 'disks', name);
    // Lazily where something still looks at it: what is left then goes with its last reader.
    if (spawnSync('umount', [disk]).status !== 0) spawnSync('umount', ['-l', disk]);
  }
  if (!keep) rmSync(base, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
}

/** Laboratories whose owner was killed. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(PREFIX)) continue;
    const base = join(tmpdir(), name);
    const file = join(base, 'owner.json');
    // Without the file its owner has just made the directory.
    if (existsSync(file) && !isRunning(ownerSchema.parse(JSON.parse(readFileSync(file, 'utf8'))))) dismantle(base);
  }
}
