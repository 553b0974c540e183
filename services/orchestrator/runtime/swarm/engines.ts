import type { Logger } from '@skyrun/kit';
import type Docker from 'dockerode';
import { z } from 'zod';
import { createDockerClient } from '../docker/client.ts';
import { toRuntimeError } from '../docker/errors.ts';
import { RuntimeError } from '../runtime.ts';
import { nodeLabel } from './service-spec.ts';
import { type SwarmNode, swarmNode } from './tasks.ts';

/** One machine of the swarm whose engine we talk to. */
export interface Engine {
  readonly nodeId: string;
  readonly docker: Docker;
}

export interface Engines {
  /** Where services are made; a manager of the swarm. */
  readonly manager: Docker;
  /** All clients, of engines that answer and that do not. */
  readonly all: readonly Docker[];
  /** Nodes of the swarm, as the manager sees them. */
  nodes(): Promise<Map<string, SwarmNode>>;
  /** Engines of nodes that are up; each of these nodes is marked as a place for instances. */
  ready(): Promise<Engine[]>;
  /** Undefined where the node's engine is not one of ours, or never answered. */
  of(nodeId: string): Promise<Engine | undefined>;
}

const swarmInfo = z.object({
  Swarm: z.object({ NodeID: z.string(), LocalNodeState: z.string(), ControlAvailable: z.boolean() }),
});

export interface EnginesOptions {
  readonly managerAddress: string;
  readonly addresses: readonly string[];
  readonly installation: string;
  readonly logger: Logger;
}

/** `/path/of/a/socket`, `unix:///path`, `tcp://host:port` or `http://host:port`. */
function clientOf(address: string): Docker {
  if (!address.includes('://')) return createDockerClient({ socketPath: address });
  const { protocol, hostname, port, pathname } = new URL(address);
  if (protocol === 'unix:') return createDockerClient({ socketPath: pathname });
  return createDockerClient({
    protocol: protocol === 'https:' ? 'https' : 'http',
    host: hostname,
    port: Number(port || 2375),
  });
}

export function createEngines(options: EnginesOptions): Engines {
  const { installation, logger } = options;
  const manager = clientOf(options.managerAddress);
  const others = options.addresses.filter((address) => address !== options.managerAddress).map(clientOf);
  const all = [manager, ...others];
  const known = new Map<Docker, string>();
  const marked = new Set<string>();

  async function nodeOf(docker: Docker): Promise<string> {
    const before = known.get(docker);
    if (before !== undefined) return before;
    const { Swarm: swarm } = swarmInfo.parse(await docker.info());
    if (swarm.LocalNodeState !== 'active') {
      throw new RuntimeError(
        'unavailable',
        'an engine of SKYRUN_SWARM_ENGINES has not joined the swarm: docker swarm join',
      );
    }
    known.set(docker, swarm.NodeID);
    return swarm.NodeID;
  }

  async function nodes(): Promise<Map<string, SwarmNode>> {
    const found = z.array(swarmNode).parse(await manager.listNodes());
    return new Map(found.map((node) => [node.ID, node]));
  }

  async function mark(node: SwarmNode): Promise<void> {
    const label = nodeLabel(installation);
    if (marked.has(node.ID)) return;
    if (node.Spec.Labels?.[label] !== 'yes') {
      const labels = { ...node.Spec.Labels, [label]: 'yes' };
      await manager.getNode(node.ID).update({ ...node.Spec, version: node.Version.Index, Labels: labels });
    }
    marked.add(node.ID);
  }

  async function engineOf(docker: Docker): Promise<Engine | null> {
    try {
      return { docker, nodeId: await nodeOf(docker) };
    } catch (error) {
      logger.warn({ error }, 'an engine of the swarm does not answer; the others do its work');
      return null;
    }
  }

  async function engines(): Promise<Engine[]> {
    const found = await Promise.all(all.map(engineOf));
    return found.filter((engine) => engine !== null);
  }

  return {
    manager,
    all,
    async nodes() {
      try {
        return await nodes();
      } catch (error) {
        throw toRuntimeError(error, 'unavailable');
      }
    },
    async ready() {
      const byId = await nodes();
      const up: Engine[] = [];
      for (const engine of await engines()) {
        const node = byId.get(engine.nodeId);
        if (node?.Status.State !== 'ready') continue;
        await mark(node);
        up.push(engine);
      }
      return up;
    },
    async of(nodeId) {
      const cached = [...known].find(([, id]) => id === nodeId);
      if (cached) return { docker: cached[0], nodeId };
      return (await engines()).find((engine) => engine.nodeId === nodeId);
    },
  };
}

/** Throws `unavailable` unless it is a manager of a swarm. */
export async function assertManager(manager: Docker): Promise<void> {
  try {
    const { Swarm: swarm } = swarmInfo.parse(await manager.info());
    if (swarm.ControlAvailable) return;
  } catch (error) {
    throw toRuntimeError(error, 'unavailable');
  }
  throw new RuntimeError(
    'unavailable',
    'the engine at SKYRUN_DOCKER_SOCKET is no manager of a swarm: docker swarm init',
  );
}
