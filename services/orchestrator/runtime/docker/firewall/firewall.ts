import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import type { Clock, Logger } from '@skyrun/kit';
import { RuntimeError } from '../../runtime.ts';
import {
  chainsOf,
  type Family,
  type Jump,
  jumps,
  jumpsIn,
  type NetworkRules,
  resolversIn,
  restoreScript,
} from './rules.ts';

export interface FirewallOptions {
  readonly installation: string;
  readonly denied: readonly string[];
  /** `auto`: where they cannot be set, containers run without, which is said; `required`: then none starts. */
  readonly mode: 'auto' | 'required' | 'off';
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface Firewall {
  /**
   * Sets the rules, unless that was done a moment ago.
   * @throws RuntimeError `cannot_start` where they are required and cannot be set
   */
  ensure(bridges: readonly string[]): Promise<void>;
  /** No container of the installation is left that they would be for. */
  remove(): Promise<void>;
  /** `ok`, or why instances are not kept apart. */
  state(): string;
}

/** Somebody may have flushed the packet filter: rules are set again after so long. */
const STALE_MS = 30_000;

export function createFirewall({ installation, denied, mode, clock, logger }: FirewallOptions): Firewall {
  let setAt: number | null = null;
  let set = '';
  let state = mode === 'off' ? 'off: SKYRUN_NETWORK_RULES=off' : 'not set yet: no project has a network';

  return {
    async ensure(bridges) {
      if (mode === 'off') return;
      const wanted = bridges.join();
      if (setAt !== null && set === wanted && clock.monotonic() - setAt < STALE_MS) return;
      setAt = clock.monotonic();
      set = wanted;
      try {
        await setRules({ installation, denied, resolvers: await machineResolvers(), bridges });
        state = 'ok';
      } catch (error) {
        const reason = reasonOf(error);
        const before = state;
        state = `not set: ${reason}`;
        if (mode === 'required') {
          setAt = null;
          throw new RuntimeError(
            'cannot_start',
            `the network rules that SKYRUN_NETWORK_RULES requires: ${reason}`,
            error,
          );
        }
        if (before !== state) {
          logger.warn(
            { reason },
            'containers can reach servers of this machine and metadata services: the network rules cannot be set; run the orchestrator as root with iptables installed',
          );
        }
      }
    },
    async remove() {
      if (mode === 'off') return;
      setAt = null;
      try {
        await removeNetworkRules(installation);
        state = 'not set yet: no project has a network';
      } catch (error) {
        state = `not set: ${reasonOf(error)}`;
      }
    },
    state: () => state,
  };
}

/**
 * Takes an installation's rules away, and no others; none is fine.
 * @throws Error where the packet filter refuses, as it does to whoever is not root
 */
export async function removeNetworkRules(installation: string): Promise<void> {
  const { forward, input } = chainsOf(installation);
  for (const family of [4, 6] as const) {
    const listing = await list(family);
    for (const { chain, rule } of jumpsIn(listing, installation)) await filter(family, ['-D', chain, ...rule]);
    for (const chain of [forward, input]) {
      if (!listing.includes(`-N ${chain}\n`)) continue;
      await filter(family, ['-F', chain]);
      await filter(family, ['-X', chain]);
    }
  }
}

async function setRules(rules: NetworkRules): Promise<void> {
  for (const family of [4, 6] as const) {
    await restore(family, restoreScript(rules, family));
    const listing = await list(family);
    const docker = family === 4 && listing.includes('-N DOCKER-USER\n');
    const there = new Set(jumpsIn(listing, rules.installation).map(textOf));
    for (const jump of jumps(rules, docker ? 'DOCKER-USER' : 'FORWARD')) {
      if (!there.has(textOf(jump))) await filter(family, ['-I', jump.chain, '1', ...jump.rule]);
    }
  }
}

const textOf = ({ chain, rule }: Jump) => `${chain} ${rule.join(' ')}`;

const run = promisify(execFile);
const commandOf = (family: Family) => (family === 4 ? 'iptables' : 'ip6tables');
/** Seconds to wait while somebody else, such as the engine, changes the rules. */
const WAIT = ['-w', '10'];

async function filter(family: Family, args: readonly string[]): Promise<string> {
  return (await run(commandOf(family), [...WAIT, ...args])).stdout;
}

async function list(family: Family): Promise<string> {
  return await filter(family, ['-S']);
}

async function restore(family: Family, script: string): Promise<void> {
  const child = spawn(`${commandOf(family)}-restore`, [...WAIT, '--noflush'], { stdio: ['pipe', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (piece: Buffer) => {
    complaint += piece.toString();
  });
  // It may refuse before it has read everything; why is in what it says.
  child.stdin.on('error', () => undefined);
  child.stdin.end(script);
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(complaint.trim() || `${commandOf(family)}-restore ended with ${code}`);
}

const RESOLVER_FILES = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf'];

async function machineResolvers(): Promise<string[]> {
  // The second is there only where systemd's resolver stands in between.
  const texts = await Promise.all(RESOLVER_FILES.map((file) => readFile(file, 'utf8').catch(() => '')));
  return resolversIn(texts.join('\n'));
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if ('code' in error && error.code === 'ENOENT') return 'iptables is not installed';
  const said = 'stderr' in error && typeof error.stderr === 'string' ? error.stderr : error.message;
  return /permission denied|must be root|not permitted/i.test(said)
    ? 'only root may change the packet filter'
    : (said.trim().split('\n')[0] ?? said);
}
