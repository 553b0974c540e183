import { existsSync, mkdirSync } from 'node:fs';
import { PLATFORM_SERVICES, type PlatformService } from '@skyrun/contracts';
import { bundleGateway } from '@skyrun/gateway/bundle';
import { type Clock, isoTime, loadConfig } from '@skyrun/kit';
import { launcherConfig } from '../config.ts';
import { operatorEnvironment } from '../environment.ts';
import {
  freePort,
  ownEngine,
  portIsFree,
  postgresUrl,
  preparePostgres,
  prepareRabbitmq,
  prepareRedis,
  rabbitmqUrl,
  redisUrl,
  startEngine,
} from '../infra/index.ts';
import { type Installation, openInstallation } from '../installation.ts';
import type { Layout } from '../layout.ts';
import { tryLock } from '../lock.ts';
import { isRunning, type ProcessId, processId } from '../process-id.ts';
import { stopOutside } from '../stop-outside.ts';
import { gatewayCount, type ProcessSpec, type Shape, type TopologyPorts, topology } from '../topology.ts';
import { createLogFiles } from './log-files.ts';
import { type SupervisorState, writeState } from './state.ts';
import { createSupervisor } from './supervisor.ts';

export interface SuperviseOptions {
  readonly layout: Layout;
  readonly shape: Shape;
  readonly gatewayPort: number;
  readonly clock: Clock;
  /** Ends the run when aborted. */
  readonly signal: AbortSignal;
  /** Ends the run when this process has ended. */
  readonly owner?: ProcessId;
}

const DATABASE = 'skyrun';
const LOG_LIMIT = { maxBytes: 10 * 1_048_576, keep: 3 };
const WATCH_MS = 1_000;

/**
 * Run an installation until `signal` aborts, keeping state.json current. Resolves when nothing of it runs any more.
 * @throws Error when it cannot be started, with what has been started stopped again
 */
export async function supervise(options: SuperviseOptions): Promise<void> {
  const { layout, clock } = options;
  const orphaned = new AbortController();
  const signal = AbortSignal.any([options.signal, orphaned.signal]);
  mkdirSync(layout.dataDir, { recursive: true });
  const installation = openInstallation(layout.secrets);
  const lock = await tryLock(`${installation.id}/supervisor`);
  if (lock === null) throw new Error('this installation already has a supervisor');
  let state: SupervisorState = {
    supervisor: processId(process.pid),
    installation: installation.id,
    shape: options.shape,
    phase: 'starting',
    reason: null,
    startedAt: isoTime(clock.now()),
    gatewayPort: options.gatewayPort,
    baseDomain: loadConfig(launcherConfig).SKYRUN_BASE_DOMAIN,
    processes: [],
  };
  const update = (change: Partial<SupervisorState>): void => {
    state = { ...state, ...change };
    // Deleted under our feet: there is nobody to read it, and ending is what matters.
    if (!existsSync(layout.dataDir)) return;
    try {
      writeState(layout.state, state);
    } catch (error) {
      // On a full disk, say. What runs goes on, and what ends is restarted, untold.
      console.error(`${isoTime(clock.now())} cannot write ${layout.state}: ${String(error)}`);
    }
  };
  update({});
  try {
    const specs = await plan(options, installation);
    const supervisor = createSupervisor({
      specs,
      clock,
      logs: createLogFiles(layout.logs, LOG_LIMIT),
      onChange: (processes) => update({ processes: [...processes] }),
    });
    const aborted = new Promise<void>((resolve) => {
      if (signal.aborted) resolve();
      signal.addEventListener('abort', () => resolve(), { once: true });
    });
    try {
      await Promise.race([supervisor.start(), aborted]);
      if (!signal.aborted) {
        update({ phase: 'ready' });
        const watching = watch(options, signal, () => orphaned.abort());
        await aborted;
        await watching;
      }
      update({ phase: 'stopping' });
    } finally {
      await supervisor.stop();
    }
    await stopOutside(layout, installation.id);
    update({ phase: 'stopped' });
  } catch (error) {
    update({ phase: 'failed', reason: error instanceof Error ? error.message : String(error) });
    throw error;
  } finally {
    await lock.release();
  }
}

/** Ports, data directories and configuration files of every process. */
async function plan(options: SuperviseOptions, installation: Installation): Promise<ProcessSpec[]> {
  const { layout, shape } = options;
  const config = loadConfig(launcherConfig);
  if (!(await portIsFree(options.gatewayPort, config.SKYRUN_GATEWAY_LISTEN_HOST))) {
    throw new Error(`port ${options.gatewayPort} is taken; choose another with --port`);
  }
  const gateways = config.SKYRUN_GATEWAYS === 0 ? gatewayCount() : config.SKYRUN_GATEWAYS;
  const ports = await choosePorts(shape, options.gatewayPort, gateways);
  const { postgresPassword, redisPassword, rabbitmqPassword } = installation;
  const distributed = shape === 'distributed';
  const rabbitmq = distributed
    ? prepareRabbitmq({
        dataDir: layout.rabbitmq,
        port: ports.rabbitmq,
        epmdPort: ports.epmd,
        distributionPort: await freePort(),
        password: rabbitmqPassword,
        cookie: installation.erlangCookie,
      })
    : null;
  return topology({
    shape,
    layout,
    installation,
    ports,
    node: process.execPath,
    gatewayProgram: await gatewayProgram(layout.root),
    listenHost: config.SKYRUN_GATEWAY_LISTEN_HOST,
    baseDomain: config.SKYRUN_BASE_DOMAIN,
    databaseUrl: postgresUrl(ports.postgres, postgresPassword, DATABASE),
    redisUrl: redisUrl(ports.redis, redisPassword),
    rabbitmqUrl: rabbitmqUrl(ports.rabbitmq, rabbitmqPassword),
    dockerSocket: config.SKYRUN_DOCKER_SOCKET,
    environment: operatorEnvironment(),
    servers: {
      postgres: preparePostgres({
        dataDir: layout.postgres,
        port: ports.postgres,
        password: postgresPassword,
        database: DATABASE,
        binaryCache: layout.shared,
        durable: true,
      }),
      redis: prepareRedis({ dataDir: layout.redis, port: ports.redis, password: redisPassword, aof: true }),
      ...(rabbitmq === null ? {} : { epmd: rabbitmq.epmd, rabbitmq: rabbitmq.broker }),
    },
  });
}

/** One file made of the sources, or where they cannot be bundled the sources: these only take more memory. */
async function gatewayProgram(root: string): Promise<string> {
  try {
    return await bundleGateway(root);
  } catch (error) {
    console.error(`gateways run from their sources, with about 10 MiB more each: ${String(error)}`);
    return 'gateway/main.ts';
  }
}

async function choosePorts(shape: Shape, gateway: number, gateways: number): Promise<TopologyPorts> {
  const count = PLATFORM_SERVICES.length + gateways + 4;
  const [postgres = 0, redis = 0, rabbitmq = 0, epmd = 0, ...rest] = await freePorts(count);
  const services = Object.fromEntries(
    PLATFORM_SERVICES.map((service, index) => [service, rest[shape === 'one-machine' ? 0 : index] ?? 0]),
  ) as Record<PlatformService, number>;
  return { gateway, services, gatewayAdmin: rest.slice(PLATFORM_SERVICES.length), postgres, redis, rabbitmq, epmd };
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/**
 * Look around once a second. A dockerd that we have started is started again when it dies; somebody else's is theirs to
 * care for. Without its owner, or without its data directory, the run has nobody left to serve.
 */
async function watch(options: SuperviseOptions, signal: AbortSignal, end: () => void): Promise<void> {
  const { layout, clock, owner } = options;
  const socketPath = loadConfig(launcherConfig).SKYRUN_DOCKER_SOCKET;
  const say = (text: string): void => console.error(`${isoTime(clock.now())} ${text}`);
  while (!signal.aborted) {
    // Ends early when the signal aborts, which the loop's condition then sees.
    await clock.sleep(WATCH_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    if (!existsSync(layout.state) || (owner !== undefined && !isRunning(owner))) {
      say('the data directory or the owning process is gone; ending');
      end();
      return;
    }
    const engine = ownEngine(layout.engine);
    if (engine === null || isRunning(engine)) continue;
    say('dockerd has died; starting it again');
    await startEngine({ socketPath, record: layout.engine, log: `${layout.logs}/dockerd.log` }).catch((error: Error) =>
      say(error.message),
    );
  }
}
