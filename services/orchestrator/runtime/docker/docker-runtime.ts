import type { Clock, Logger } from '@skyrun/kit';
import type Docker from 'dockerode';
import {
  anybodyMay,
  type InstanceIdentity,
  type InstanceSpec,
  type MayAct,
  type Runtime,
  type RuntimeInstance,
} from '../runtime.ts';
import { createDockerClient, sendFenced } from './client.ts';
import { containerFacts } from './container-facts.ts';
import { readLogs } from './container-logs.ts';
import { containerOptions } from './container-options.ts';
import { hasStatus, readEngineError, toRuntimeError } from './errors.ts';
import { execIn } from './exec.ts';
import { createFirewall } from './firewall/firewall.ts';
import { createDockerImages } from './images.ts';
import { containerName, INSTALLATION_LABEL, INSTANCE_LABEL, networkName, readLabels } from './labels.ts';
import { createProjectNetworks } from './networks.ts';
import { readStats } from './stats.ts';
import { watchEngine } from './watch.ts';

export interface DockerRuntimeOptions {
  readonly socketPath: string;
  /** Tells our containers from those of other installations on the same engine. */
  readonly installation: string;
  readonly networkPool: string;
  readonly networkPrefix: number;
  readonly egress: boolean;
  readonly pidsLimit: number;
  /** Whether rules of the packet filter keep containers from the machine; see `firewall/`. Absent: where it can be done. */
  readonly networkRules?: 'auto' | 'required' | 'off';
  /** IPv4 ranges that containers may not reach. */
  readonly deniedRanges?: readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

/** A look takes milliseconds; an engine that does not answer so long is away for whoever asks. */
const LOOK_WITHIN_MS = 10_000;
/** The engine holds back what it knows of a container while it changes it; the list has told the most important of it. */
const DETAILS_WITHIN_MS = 2_000;
/** A hundred starts at once take some 20 s on two cores. */
const CHANGE_WITHIN_MS = 120_000;

/** Docker Engine API 1.41 (20.10) and newer, cgroup v1 and v2. No call waits without an end for an engine that hangs. */
export function createDockerRuntime(options: DockerRuntimeOptions): Runtime {
  const { installation, pidsLimit, clock, logger } = options;
  const docker = createDockerClient({ socketPath: options.socketPath });
  const firewall = createFirewall({
    installation,
    denied: options.deniedRanges ?? [],
    mode: options.networkRules ?? 'auto',
    clock,
    logger,
  });
  const networks = createProjectNetworks(docker, {
    installation,
    firewall,
    pool: options.networkPool,
    prefix: options.networkPrefix,
    egress: options.egress,
  });
  /** By instance: the list does not tell it, and asking each container each time would not scale. */
  const startTimes = new Map<string, number>();
  /** By instance: whoever starts one again need not ask first where it belongs. */
  const projects = new Map<string, string>();
  const change = (graceMs = 0) => AbortSignal.timeout(graceMs + CHANGE_WITHIN_MS);
  const container = (instanceId: string) => docker.getContainer(containerName(installation, instanceId));

  async function inspect(instanceId: string, withinMs = LOOK_WITHIN_MS): Promise<RuntimeInstance | null> {
    try {
      const info = await container(instanceId).inspect({ abortSignal: AbortSignal.timeout(withinMs) });
      const found = fromInspect(installation, info);
      if (found) projects.set(instanceId, found.identity.project);
      return found;
    } catch (error) {
      if (hasStatus(error, 404)) return null;
      throw toRuntimeError(error, 'unavailable');
    }
  }

  /** A running container that was inspected before: what can change about it is in the list. */
  function known(info: Docker.ContainerInfo): RuntimeInstance | null {
    const identity = readLabels(info.Labels);
    const startedAt = startTimes.get(identity?.instanceId ?? '');
    const paused = info.State === 'paused';
    if (startedAt === undefined || !identity || !(paused || info.State === 'running')) return null;
    const address = info.NetworkSettings.Networks[networkName(installation, identity.project)]?.IPAddress;
    return address ? { identity, state: 'running', address, startedAt, ...(paused ? { paused } : {}) } : null;
  }

  async function inspectListed(info: Docker.ContainerInfo): Promise<RuntimeInstance | null> {
    const identity = readLabels(info.Labels);
    const found =
      identity && (await inspect(identity.instanceId, DETAILS_WITHIN_MS).catch(() => fromList(info, identity)));
    if (found?.state === 'running' && found.startedAt !== undefined) {
      startTimes.set(found.identity.instanceId, found.startedAt);
    }
    return found;
  }

  /** One that hangs must not hide all others. */
  function fromList(info: Docker.ContainerInfo, identity: InstanceIdentity): RuntimeInstance {
    if (info.State === 'created') return { identity, state: 'created' };
    if (info.State !== 'running' && info.State !== 'paused') return { identity, state: 'exited' };
    const address = info.NetworkSettings.Networks[networkName(installation, identity.project)]?.IPAddress;
    const paused = info.State === 'paused' ? { paused: true } : {};
    return { identity, state: 'running', ...paused, ...(address ? { address } : {}) };
  }

  function forgetOthers(listed: readonly Docker.ContainerInfo[]): void {
    const ids = new Set(listed.flatMap(({ State, Labels }) => (State === 'exited' ? [] : [Labels[INSTANCE_LABEL]])));
    for (const id of startTimes.keys()) if (!ids.has(id)) startTimes.delete(id);
  }

  /** Whether it was made now; false when the name was taken, which only this instance's own container can do. */
  async function create(spec: InstanceSpec, mayAct: MayAct): Promise<boolean> {
    await networks.ensure(spec.project);
    try {
      const options = { ...containerOptions(spec, { installation, pidsLimit }), abortSignal: change() };
      await sendFenced(mayAct, () => docker.createContainer(options));
      return true;
    } catch (error) {
      if (hasStatus(error, 409) && /already in use/i.test(readEngineError(error).message)) return false;
      throw toRuntimeError(error, 'cannot_start');
    }
  }

  async function run(instanceId: string, mayAct: MayAct): Promise<'now' | 'already' | 'gone'> {
    startTimes.delete(instanceId);
    try {
      await sendFenced(mayAct, () => container(instanceId).start({ abortSignal: change() }));
      return 'now';
    } catch (error) {
      if (hasStatus(error, 304)) return 'already';
      if (hasStatus(error, 404) && /no such container/i.test(readEngineError(error).message)) return 'gone';
      throw toRuntimeError(error, 'cannot_start');
    }
  }

  /** Where it is in that state already the engine refuses, as it does where the container does not run. */
  async function freezer(instanceId: string, verb: 'pause' | 'unpause', mayAct: MayAct): Promise<boolean> {
    try {
      await sendFenced(mayAct, () => container(instanceId)[verb]({ abortSignal: change() }));
      return true;
    } catch (error) {
      if (!hasStatus(error, 404, 409, 500)) throw toRuntimeError(error, 'unavailable');
      const found = await inspect(instanceId);
      if (found?.state !== 'running') return false;
      if ((found.paused ?? false) === (verb === 'pause')) return true;
      throw toRuntimeError(error, 'unavailable');
    }
  }

  async function remove(instanceId: string, mayAct: MayAct): Promise<void> {
    projects.delete(instanceId);
    try {
      await sendFenced(mayAct, () => container(instanceId).remove({ force: true, v: true, abortSignal: change() }));
    } catch (error) {
      // 409: another call removes it already.
      if (!hasStatus(error, 404, 409)) throw toRuntimeError(error, 'unavailable');
    }
  }

  return {
    name: 'docker',
    supports: { pause: true, restart: true, exec: true },
    images: createDockerImages(docker),

    async start(spec, mayAct = anybodyMay) {
      const began = clock.monotonic();
      const made = await create(spec, mayAct);
      const before = made ? null : await inspect(spec.instanceId);
      if (before && before.state !== 'created') return { instance: before, createMs: 0, startMs: 0 };
      const created = clock.monotonic();
      try {
        await run(spec.instanceId, mayAct);
      } catch (error) {
        if (!isNetworkGone(error, installation, spec.project)) throw error;
        networks.forget(spec.project);
        await remove(spec.instanceId, mayAct);
        await create(spec, mayAct);
        await run(spec.instanceId, mayAct);
      }
      const instance = await inspect(spec.instanceId);
      if (!instance) throw toRuntimeError(new Error('the container vanished while it started'), 'cannot_start');
      return { instance, createMs: created - began, startMs: clock.monotonic() - created };
    },

    async stop(instanceId, { graceMs, remove: forget }, mayAct = anybodyMay) {
      const before = await inspect(instanceId);
      if (!before) return null;
      if (before.state === 'running') {
        // A frozen process heeds no signal but SIGKILL.
        if (before.paused) await freezer(instanceId, 'unpause', mayAct);
        try {
          await sendFenced(mayAct, () =>
            container(instanceId).stop({ t: Math.ceil(graceMs / 1000), abortSignal: change(graceMs) }),
          );
        } catch (error) {
          if (!hasStatus(error, 304, 404)) throw toRuntimeError(error, 'unavailable');
        }
      }
      const after = await inspect(instanceId);
      if (forget) await remove(instanceId, mayAct);
      return after ?? before;
    },

    pause: (instanceId, mayAct = anybodyMay) => freezer(instanceId, 'pause', mayAct),
    resume: (instanceId, mayAct = anybodyMay) => freezer(instanceId, 'unpause', mayAct),

    async restart(instanceId, mayAct = anybodyMay) {
      const began = clock.monotonic();
      const project = projects.get(instanceId) ?? (await inspect(instanceId))?.identity.project;
      if (project === undefined) return null;
      await networks.ensure(project);
      const ran = await run(instanceId, mayAct);
      const instance = await inspect(instanceId);
      if (!instance) {
        projects.delete(instanceId);
        return null;
      }
      return { instance, createMs: 0, startMs: ran === 'now' ? clock.monotonic() - began : 0 };
    },

    exec: (instanceId, command, { timeoutMs }) => execIn(container(instanceId), command, timeoutMs),

    async list(instanceId) {
      if (instanceId !== undefined) {
        const found = await inspect(instanceId);
        return found ? [found] : [];
      }
      try {
        const filters = { label: [`${INSTALLATION_LABEL}=${installation}`] };
        const abortSignal = AbortSignal.timeout(LOOK_WITHIN_MS);
        const listed = await docker.listContainers({ all: true, filters, abortSignal });
        const found = await Promise.all(listed.map((info) => known(info) ?? inspectListed(info)));
        forgetOthers(listed);
        return found.filter((instance) => instance !== null);
      } catch (error) {
        throw toRuntimeError(error, 'unavailable');
      }
    },

    watch(signal) {
      // Another process may have started containers again while this one did not look.
      startTimes.clear();
      return watchEngine(docker, { installation, clock, logger }, signal);
    },

    async stats(instanceId) {
      try {
        const abortSignal = AbortSignal.timeout(LOOK_WITHIN_MS);
        const asked = { stream: false, 'one-shot': true, abortSignal } as const;
        const stats = await container(instanceId).stats(asked);
        return readStats(stats, clock.now());
      } catch (error) {
        if (hasStatus(error, 404)) return null;
        throw toRuntimeError(error, 'unavailable');
      }
    },

    logs: (instanceId, wanted) => readLogs(container(instanceId), wanted),

    tidy: (projects) => networks.tidy(projects),
    networkRules: () => firewall.state(),

    async ping() {
      try {
        await docker.ping();
      } catch (error) {
        throw toRuntimeError(error, 'unavailable');
      }
    },
  };
}

function isNetworkGone(error: unknown, installation: string, project: string): boolean {
  const { message } = readEngineError(error);
  return message.includes(networkName(installation, project)) && /not found/i.test(message);
}

/** Null where the container is not ours: a foreign one of the same name is nothing that we may touch. */
function fromInspect(installation: string, info: Docker.ContainerInspectInfo): RuntimeInstance | null {
  const identity = readLabels(info.Config.Labels);
  if (!identity || info.Config.Labels[INSTALLATION_LABEL] !== installation) return null;
  const address = info.NetworkSettings.Networks[networkName(installation, identity.project)]?.IPAddress;
  const facts = containerFacts(info.State);
  return { identity, ...facts, ...(address && facts.state === 'running' ? { address } : {}) };
}
