import type Docker from 'dockerode';
import { RuntimeError } from '../runtime.ts';
import { hasStatus, readEngineError, toRuntimeError } from './errors.ts';
import type { Firewall } from './firewall/firewall.ts';
import { bridgeName } from './firewall/rules.ts';
import { INSTALLATION_LABEL, networkName, PROJECT_LABEL } from './labels.ts';
import { formatSubnet, freeSubnet, parseSubnet, type Subnet } from './subnets.ts';

export interface NetworkOptions {
  readonly installation: string;
  /** IPv4 range that project networks are cut from, e.g. `10.210.0.0/16`. */
  readonly pool: string;
  /** Prefix length of one project's network; 26 holds 61 instances. */
  readonly prefix: number;
  /** Whether containers may reach addresses outside of the machine. */
  readonly egress: boolean;
  readonly firewall: Firewall;
}

/** As projects wait for each other, none waits without an end for an engine that hangs. */
const soon = () => ({ abortSignal: AbortSignal.timeout(30_000) });

const BRIDGE_NAME = 'com.docker.network.bridge.name';

export interface ProjectNetworks {
  /** Makes the project's network unless it is there. Throws `no_capacity` when the pool is used up. */
  ensure(project: string): Promise<void>;
  /** The engine said that it is gone. */
  forget(project: string): void;
  tidy(projects: ReadonlySet<string>): Promise<void>;
}

/**
 * One bridge per project. The engine's own rules let bridges not reach each other; containers of one project can. The
 * firewall keeps them from the machine's own addresses; besides, nothing of ours listens on a bridge's address.
 */
export function createProjectNetworks(docker: Docker, options: NetworkOptions): ProjectNetworks {
  const pool = parseSubnet(options.pool);
  const known = new Map<string, Promise<void>>();
  // One at a time: two projects that look for a free range at once would find the same one.
  let turn: Promise<void> = Promise.resolve();

  async function create(project: string): Promise<void> {
    const refused: Subnet[] = [];
    for (;;) {
      const networks = await docker.listNetworks(soon());
      await options.firewall.ensure(unnamedBridges(networks, options.installation));
      const name = networkName(options.installation, project);
      if (networks.some((network) => network.Name === name)) return;
      const taken = networks.flatMap((network) => subnetsOf(network));
      const subnet = freeSubnet(pool, options.prefix, [...taken, ...refused]);
      if (!subnet) {
        throw new RuntimeError('no_capacity', `the network pool ${options.pool} is used up; configure a wider one`);
      }
      try {
        await docker.createNetwork({
          Name: name,
          ...soon(),
          CheckDuplicate: true,
          Driver: 'bridge',
          Internal: !options.egress,
          Options: { [BRIDGE_NAME]: bridgeName(options.installation, project) },
          Labels: { [INSTALLATION_LABEL]: options.installation, [PROJECT_LABEL]: project },
          IPAM: { Driver: 'default', Config: [{ Subnet: formatSubnet(subnet) }] },
        });
        return;
      } catch (error) {
        if (hasStatus(error, 409)) return;
        // Another use of the range that the engine does not list, such as a route of the machine.
        if (!/overlap/i.test(readEngineError(error).message)) throw error;
        refused.push(subnet);
      }
    }
  }

  /** The rules are there as long as a network is. */
  async function guard(): Promise<void> {
    const filters = { label: [`${INSTALLATION_LABEL}=${options.installation}`] };
    const networks = await docker.listNetworks({ filters, ...soon() });
    if (networks.length === 0) await options.firewall.remove();
    else await options.firewall.ensure(unnamedBridges(networks, options.installation));
  }

  return {
    ensure(project) {
      const found = known.get(project);
      if (found) return found;
      const made = turn.then(() => create(project));
      turn = made.catch(() => undefined);
      const settled = made.catch((error: unknown) => {
        known.delete(project);
        throw toRuntimeError(error, 'no_capacity');
      });
      known.set(project, settled);
      return settled;
    },
    forget(project) {
      known.delete(project);
    },
    async tidy(projects) {
      const filters = { label: [`${INSTALLATION_LABEL}=${options.installation}`] };
      for (const network of await docker.listNetworks({ filters, ...soon() })) {
        const project = network.Labels?.[PROJECT_LABEL];
        if (project === undefined || projects.has(project)) continue;
        known.delete(project);
        try {
          await docker.getNetwork(network.Id).remove(soon());
        } catch (error) {
          // Still has a container that is about to go: the next round removes it.
          if (!hasStatus(error, 403, 404, 409)) throw toRuntimeError(error, 'no_capacity');
        }
      }
      // After those that are being made: their rules must not go.
      turn = turn.then(guard).catch(() => undefined);
      await turn;
    },
  };
}

/** Of networks that were made before their bridges had names. */
function unnamedBridges(networks: readonly Docker.NetworkInspectInfo[], installation: string): string[] {
  const own = networks.filter(({ Labels }) => Labels?.[INSTALLATION_LABEL] === installation);
  return own.flatMap(({ Id, Options }) => (Options?.[BRIDGE_NAME] ? [] : [`br-${Id.slice(0, 12)}`])).toSorted();
}

function subnetsOf(network: Docker.NetworkInspectInfo): Subnet[] {
  const ranges = network.IPAM?.Config ?? [];
  return ranges.flatMap(({ Subnet: text }) => (text?.includes('.') ? [parseSubnet(text)] : []));
}
