import type Docker from 'dockerode';
import { hasStatus, readEngineError, toRuntimeError } from '../docker/errors.ts';
import { INSTALLATION_LABEL, networkName, PROJECT_LABEL } from '../docker/labels.ts';
import { formatSubnet, freeSubnet, parseSubnet, type Subnet } from '../docker/subnets.ts';
import { RuntimeError } from '../runtime.ts';
import type { Engines } from './engines.ts';

export interface SwarmNetworksOptions {
  readonly installation: string;
  readonly pool: string;
  readonly prefix: number;
}

export interface SwarmNetworks {
  ensure(project: string): Promise<void>;
  forget(project: string): void;
  tidy(projects: ReadonlySet<string>): Promise<void>;
}

/**
 * One bridge per project on each engine: its range is that engine's own, told to the engine as a network that is only a
 * configuration; the swarm-wide network of the project's name stands for all of them. Each engine makes its bridge when
 * the first task comes.
 */
export function createSwarmNetworks(engines: Engines, options: SwarmNetworksOptions): SwarmNetworks {
  const { installation } = options;
  const pool = parseSubnet(options.pool);
  const done = new Map<string, Promise<void>>();
  let turn: Promise<void> = Promise.resolve();
  const labels = (project: string) => ({ [INSTALLATION_LABEL]: installation, [PROJECT_LABEL]: project });
  const configName = (project: string) => `${networkName(installation, project)}-config`;

  async function configure(docker: Docker, project: string): Promise<void> {
    const networks = await docker.listNetworks();
    if (networks.some(({ Name }) => Name === configName(project))) return;
    const taken = networks.flatMap((network) => subnetsOf(network));
    const subnet = freeSubnet(pool, options.prefix, taken);
    if (!subnet) {
      throw new RuntimeError('no_capacity', `the network pool ${options.pool} is used up; configure a wider one`);
    }
    await create(docker, {
      Name: configName(project),
      ConfigOnly: true,
      Labels: labels(project),
      IPAM: { Driver: 'default', Config: [{ Subnet: formatSubnet(subnet) }] },
    });
  }

  async function ensure(project: string): Promise<void> {
    for (const { docker } of await engines.ready()) await configure(docker, project);
    const name = networkName(installation, project);
    const found = await engines.manager.listNetworks({ filters: { name: [name] } });
    if (found.some((network) => network.Name === name && network.Scope === 'swarm')) return;
    await create(engines.manager, {
      Name: name,
      Driver: 'bridge',
      Scope: 'swarm',
      // Nothing else may be said of it: labels are on the configurations only.
      ConfigFrom: { Network: configName(project) },
    });
  }

  return {
    async ensure(project) {
      // An engine that joined since has no configuration yet, so it is looked up by the engines that are up.
      const up = (await engines.ready()).map(({ nodeId }) => nodeId).toSorted();
      const key = `${project} ${up.join()}`;
      const found = done.get(key);
      if (found) return found;
      const made = turn.then(() => ensure(project));
      turn = made.catch(() => undefined);
      const settled = made.catch((error: unknown) => {
        done.delete(key);
        throw toRuntimeError(error, 'no_capacity');
      });
      done.set(key, settled);
      return settled;
    },
    forget(project) {
      for (const key of done.keys()) if (key.startsWith(`${project} `)) done.delete(key);
    },
    async tidy(projects) {
      const filters = { label: [`${INSTALLATION_LABEL}=${installation}`] };
      for (const { docker } of await engines.ready()) {
        for (const { Labels } of await docker.listNetworks({ filters })) {
          const project = Labels?.[PROJECT_LABEL];
          if (project === undefined || projects.has(project)) continue;
          for (const key of done.keys()) if (key.startsWith(`${project} `)) done.delete(key);
          // What stands for all goes before the configurations that it is made from.
          await remove(engines.manager, networkName(installation, project));
          await remove(docker, configName(project));
        }
      }
    },
  };
}

async function remove(docker: Docker, name: string): Promise<void> {
  try {
    await docker.getNetwork(name).remove();
  } catch (error) {
    // Still used by a task that is about to go: the next round removes it.
    if (!hasStatus(error, 400, 403, 404, 409)) throw toRuntimeError(error, 'no_capacity');
  }
}

/** Two that make the same one at once both have it. */
async function create(docker: Docker, options: Docker.NetworkCreateOptions): Promise<void> {
  try {
    await docker.createNetwork({ ...options, CheckDuplicate: true });
  } catch (error) {
    if (!hasStatus(error, 409) && !/already exists/i.test(readEngineError(error).message)) throw error;
  }
}

function subnetsOf(network: Docker.NetworkInspectInfo): Subnet[] {
  const ranges = network.IPAM?.Config ?? [];
  return ranges.flatMap(({ Subnet: text }) => (text?.includes('.') ? [parseSubnet(text)] : []));
}
