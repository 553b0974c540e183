import { createHash } from 'node:crypto';
import type { Clock, Logger } from '@skyrun/kit';
import type Docker from 'dockerode';
import { z } from 'zod';
import { sendFenced } from '../docker/client.ts';
import { containerFacts } from '../docker/container-facts.ts';
import { readLogs } from '../docker/container-logs.ts';
import { hasStatus, readEngineError, toRuntimeError } from '../docker/errors.ts';
import { execIn } from '../docker/exec.ts';
import { containerName, INSTALLATION_LABEL, readLabels } from '../docker/labels.ts';
import { readStats } from '../docker/stats.ts';
import {
  anybodyMay,
  type InstanceIdentity,
  type InstanceSpec,
  type MayAct,
  type Runtime,
  RuntimeError,
  type RuntimeInstance,
} from '../runtime.ts';
import { assertManager, createEngines } from './engines.ts';
import { createSwarmImages } from './images.ts';
import { createSwarmNetworks } from './networks.ts';
import { createPrivileges } from './privileges.ts';
import { serviceSpec } from './service-spec.ts';
import {
  newestTask,
  publishedPort,
  type SwarmNode,
  type SwarmTask,
  startFailure,
  swarmTask,
  taskState,
} from './tasks.ts';
import { watchSwarm } from './watch.ts';

export interface SwarmRuntimeOptions {
  /** Of a manager. */
  readonly managerAddress: string;
  /** Engines of the swarm's nodes that instances may run on; the manager's is one of them. */
  readonly engineAddresses: readonly string[];
  readonly installation: string;
  readonly networkPool: string;
  readonly networkPrefix: number;
  readonly pidsLimit: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const POLL_MS = 30;
/** A task that no node has taken by then will not be: there is no room, or no node. */
const PLACED_WITHIN_MS = 10_000;
const STARTED_WITHIN_MS = 120_000;
const MOST_NAME_CHARACTERS = 63;

/**
 * Docker Swarm, API 1.41 (20.10) and newer: a service of one task per instance, its port published in host mode.
 * Placement is Swarm's; that an instance is over, and that another takes its place, is the orchestrator's decision, so
 * tasks are never restarted. What only an engine knows (exact times, exit code, output, figures) is asked of the engine.
 *
 * A node that is down takes its instances with it: they are not listed any more, and are replaced elsewhere.
 */
export function createSwarmRuntime(options: SwarmRuntimeOptions): Runtime {
  const { installation, pidsLimit, clock, logger } = options;
  const { managerAddress, engineAddresses: addresses } = options;
  const engines = createEngines({ managerAddress, addresses, installation, logger });
  const { manager } = engines;
  const images = createSwarmImages(engines);
  const networks = createSwarmNetworks(engines, {
    installation,
    pool: options.networkPool,
    prefix: options.networkPrefix,
  });
  const privileges = createPrivileges(engines, logger);
  /** By task, while it runs: its engine need not be asked again. */
  const facts = new Map<string, RuntimeInstance>();
  const nameOf = (instanceId: string) => serviceName(installation, instanceId);

  async function container(task: SwarmTask | undefined): Promise<Docker.Container | null> {
    const id = task?.Status.ContainerStatus?.ContainerID ?? '';
    const engine = task && id !== '' ? await engines.of(task.NodeID) : undefined;
    return engine ? engine.docker.getContainer(id) : null;
  }

  /** What the engine says of the task's container; what Swarm says where the engine does not answer. */
  async function look(identity: InstanceIdentity, task: SwarmTask | undefined, node: SwarmNode | undefined) {
    const state = taskState(task);
    const known = facts.get(task?.ID ?? '');
    if (!task || state === 'created') return { identity, state: 'created' as const };
    if (known && state === 'running') return known;
    const port = publishedPort(task, identity.port);
    const place = { ...(node?.Status.Addr ? { address: node.Status.Addr } : {}), ...(port ? { port } : {}) };
    const found = await (await container(task))?.inspect().catch(() => undefined);
    if (found) {
      const seen = containerFacts(found.State);
      const instance = { identity, ...seen, ...(seen.state === 'running' ? place : {}) };
      // Swarm tells the port a moment after the task runs.
      if (seen.state === 'running' && port) facts.set(task.ID, instance);
      else facts.delete(task.ID);
      return instance;
    }
    const at = Date.parse(task.Status.Timestamp ?? '');
    if (state === 'running') return { identity, state, ...place, ...(Number.isFinite(at) ? { startedAt: at } : {}) };
    const { ContainerStatus: ended } = task.Status;
    return {
      identity,
      state,
      ...(Number.isFinite(at) ? { finishedAt: at } : {}),
      ...(ended ? { exitCode: ended.ExitCode, oomKilled: false } : {}),
    };
  }

  async function tasksOf(service: string): Promise<SwarmTask | undefined> {
    const filters = JSON.stringify({ service: [service] });
    return newestTask(z.array(swarmTask).parse(await manager.listTasks({ filters })));
  }

  interface Found {
    readonly identity: InstanceIdentity;
    readonly task: SwarmTask | undefined;
  }

  async function find(instanceId: string): Promise<Found | null> {
    try {
      const info: Docker.Service = await manager.getService(nameOf(instanceId)).inspect();
      const identity = identityOf(info);
      return identity && { identity, task: await tasksOf(nameOf(instanceId)) };
    } catch (error) {
      if (hasStatus(error, 404)) return null;
      throw toRuntimeError(error, 'unavailable');
    }
  }

  function identityOf(service: Docker.Service): InstanceIdentity | null {
    const labels = service.Spec?.Labels ?? {};
    return labels[INSTALLATION_LABEL] === installation ? readLabels(labels) : null;
  }

  const isDown = (node: SwarmNode | undefined) => node !== undefined && node.Status.State !== 'ready';

  async function inspect(instanceId: string): Promise<RuntimeInstance | null> {
    const found = await find(instanceId);
    if (!found) return null;
    const node = (await engines.nodes()).get(found.task?.NodeID ?? '');
    return isDown(node) ? null : look(found.identity, found.task, node);
  }

  async function list(): Promise<RuntimeInstance[]> {
    try {
      const filters = { label: [`${INSTALLATION_LABEL}=${installation}`] };
      const [services, tasks, nodes] = await Promise.all([
        manager.listServices({ filters }),
        manager.listTasks().then((found) => z.array(swarmTask).parse(found)),
        engines.nodes(),
      ]);
      const byService = Map.groupBy(tasks, ({ ServiceID }) => ServiceID);
      const found = await Promise.all(
        services.map(async (service) => {
          const identity = identityOf(service);
          const task = newestTask(byService.get(service.ID) ?? []);
          const node = nodes.get(task?.NodeID ?? '');
          return identity && !isDown(node) ? look(identity, task, node) : null;
        }),
      );
      const ids = new Set(tasks.map(({ ID }) => ID));
      for (const id of facts.keys()) if (!ids.has(id)) facts.delete(id);
      return found.filter((instance) => instance !== null);
    } catch (error) {
      throw toRuntimeError(error, 'unavailable');
    }
  }

  async function create(spec: InstanceSpec, mayAct: MayAct): Promise<void> {
    await images.spread(spec.image);
    await networks.ensure(spec.project);
    const noNewPrivileges = await privileges.canBeAsked().catch((error: unknown) => {
      throw toRuntimeError(error, 'cannot_start');
    });
    const name = nameOf(spec.instanceId);
    try {
      await sendFenced(mayAct, () =>
        manager.createService(serviceSpec(spec, { name, installation, pidsLimit, noNewPrivileges })),
      );
    } catch (error) {
      // The name is this instance's own: it was created before.
      if (hasStatus(error, 409) && /name conflicts/i.test(readEngineError(error).message)) return;
      throw toRuntimeError(error, 'cannot_start');
    }
  }

  async function forget(instanceId: string, mayAct: MayAct): Promise<void> {
    try {
      await sendFenced(mayAct, () => manager.getService(nameOf(instanceId)).remove());
    } catch (error) {
      if (!hasStatus(error, 404)) throw toRuntimeError(error, 'unavailable');
    }
  }

  async function started(spec: InstanceSpec, mayAct: MayAct): Promise<RuntimeInstance> {
    const began = clock.monotonic();
    for (;;) {
      const task = await tasksOf(nameOf(spec.instanceId));
      const failure = task && startFailure(task);
      if (failure !== undefined && failure !== null) {
        await forget(spec.instanceId, mayAct);
        if (/no such image/i.test(failure)) {
          images.forget(spec.image);
          throw new RuntimeError('image_missing', 'the engine that was to run it does not hold the image');
        }
        throw new RuntimeError('cannot_start', failure.replace(/^starting container failed: /, ''));
      }
      const instance = await inspect(spec.instanceId);
      if (instance && (instance.state === 'exited' || (instance.state === 'running' && instance.port))) return instance;
      const waited = clock.monotonic() - began;
      const placed = task !== undefined && task.NodeID !== '';
      if (waited > (placed ? STARTED_WITHIN_MS : PLACED_WITHIN_MS)) {
        await forget(spec.instanceId, mayAct);
        const why = task?.Status.Err || `no node took it within ${PLACED_WITHIN_MS / 1000} s`;
        throw new RuntimeError('no_capacity', why);
      }
      await clock.sleep(POLL_MS);
    }
  }

  const unsupported = async (): Promise<never> => {
    throw new RuntimeError('unsupported', 'Swarm neither freezes a task nor runs one again');
  };

  return {
    name: 'swarm',
    supports: { pause: false, restart: false, exec: true },
    images,

    async start(spec, mayAct = anybodyMay) {
      const began = clock.monotonic();
      const before = await inspect(spec.instanceId);
      if (before && before.state !== 'created') return { instance: before, createMs: 0, startMs: 0 };
      if (!before) await create(spec, mayAct);
      const created = clock.monotonic();
      try {
        const instance = await started(spec, mayAct);
        return { instance, createMs: created - began, startMs: clock.monotonic() - created };
      } catch (error) {
        throw toRuntimeError(error, 'cannot_start');
      }
    },

    async stop(instanceId, { graceMs, remove }, mayAct = anybodyMay) {
      const found = await find(instanceId);
      if (!found) return null;
      const before = await inspect(instanceId);
      if (before?.state === 'running') {
        try {
          const running = await container(found.task);
          // The engine's own stop: Swarm's would forget how it ended.
          await sendFenced(mayAct, async () => running?.stop({ t: Math.ceil(graceMs / 1000) }));
        } catch (error) {
          if (!hasStatus(error, 304, 404)) throw toRuntimeError(error, 'unavailable');
        }
        facts.delete(found.task?.ID ?? '');
      }
      const node = (await engines.nodes()).get(found.task?.NodeID ?? '');
      const after = isDown(node) ? null : await ended(found, node);
      if (remove) await forget(instanceId, mayAct);
      return after;
    },

    pause: unsupported,
    resume: unsupported,
    restart: unsupported,

    async exec(instanceId, command, { timeoutMs }) {
      const found = await container((await find(instanceId))?.task);
      return found && execIn(found, command, timeoutMs);
    },

    async list(instanceId) {
      if (instanceId === undefined) return list();
      const found = await inspect(instanceId);
      return found ? [found] : [];
    },

    watch(signal) {
      facts.clear();
      return watchSwarm(engines, { installation, clock, logger }, signal);
    },

    async stats(instanceId) {
      try {
        const found = await container((await find(instanceId))?.task);
        return found && readStats(await found.stats({ stream: false, 'one-shot': true }), clock.now());
      } catch (error) {
        if (hasStatus(error, 404)) return null;
        throw toRuntimeError(error, 'unavailable');
      }
    },

    async *logs(instanceId, wanted) {
      const found = await container((await find(instanceId))?.task);
      if (found) yield* readLogs(found, wanted);
    },

    tidy: (projects) => networks.tidy(projects),

    ping: () => assertManager(manager),
  };

  /** The container's end is known before Swarm has heard of it, so the container is asked. */
  async function ended({ identity, task }: Found, node: SwarmNode | undefined): Promise<RuntimeInstance> {
    const seen = await look(identity, task, node);
    return seen.state === 'created' ? { identity, state: 'exited' } : seen;
  }
}

/** What Swarm takes as a name is short; what does not fit is told apart by a digest. */
function serviceName(installation: string, instanceId: string): string {
  const name = containerName(installation, instanceId);
  if (name.length <= MOST_NAME_CHARACTERS) return name;
  const digest = createHash('sha256').update(installation).digest('hex').slice(0, 12);
  return containerName(digest, instanceId);
}
