import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { systemClock as clock } from '@skyrun/kit';
import Docker from 'dockerode';
import { z } from 'zod';
import { killUsersOf } from '../../testing/private-engine.ts';

const run = promisify(execFile);

export interface SwarmEngine {
  readonly socketPath: string;
  /** In the swarm, and where published ports are. */
  readonly address: string;
  /** As when its machine loses power: everything that runs on it ends at once, and its network is gone. */
  lose(): Promise<void>;
}

export interface PrivateSwarm {
  readonly manager: SwarmEngine;
  readonly worker: SwarmEngine;
  remove(): Promise<void>;
}

/** Why this machine cannot have network and mount namespaces of its own; null where it can. */
export async function namespacesRefused(): Promise<string | null> {
  const name = `skyprobe${process.pid}`;
  try {
    await run('ip', ['netns', 'add', name]);
    await run('nsenter', [`--net=/run/netns/${name}`, 'unshare', '--mount', 'true']);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await run('ip', ['netns', 'delete', name]).catch(() => undefined);
  }
}

const STARTS_WITHIN_MS = 60_000;
const MANAGER_PORT = 2377;

/**
 * Two engines on one machine that see each other as two machines do: each in a network namespace of its own, joined to
 * the other and to this machine by a veth pair each, with a private /run, data, sockets and process ids of its own. The
 * addresses are of the range for benchmarks of networks, so nobody is behind them.
 */
export async function createPrivateSwarm(): Promise<PrivateSwarm> {
  const directory = await mkdtemp(join(tmpdir(), 'skyrun-swarm-'));
  const network = `198.18.${process.pid % 250}`;
  const own = `${network}.254`;
  const tag = `sk${process.pid % 100_000}`;
  const names = [`${tag}a`, `${tag}b`];
  const addresses = [`${network}.1`, `${network}.2`];
  const children: ChildProcess[] = [];

  async function connect(): Promise<void> {
    const [first = '', second = ''] = names;
    for (const name of names) await run('ip', ['netns', 'add', name]);
    await run('ip', [
      'link',
      'add',
      `${tag}x`,
      'netns',
      first,
      'type',
      'veth',
      'peer',
      'name',
      `${tag}y`,
      'netns',
      second,
    ]);
    for (const [index, name] of names.entries()) {
      const [address = '', other = ''] = index === 0 ? addresses : addresses.toReversed();
      const inside = (...args: string[]) => run('nsenter', [`--net=/run/netns/${name}`, 'ip', ...args]);
      await run('ip', ['link', 'add', `${name}h`, 'type', 'veth', 'peer', 'name', `${name}e`, 'netns', name]);
      await run('ip', ['address', 'add', own, 'peer', address, 'dev', `${name}h`]);
      await run('ip', ['link', 'set', `${name}h`, 'up']);
      await inside('link', 'set', 'lo', 'up');
      for (const [peer, device] of [
        [own, `${name}e`] as const,
        [other, index === 0 ? `${tag}x` : `${tag}y`] as const,
      ]) {
        await inside('address', 'add', address, 'peer', peer, 'dev', device);
        await inside('link', 'set', device, 'up');
      }
    }
  }

  async function start(index: number): Promise<SwarmEngine> {
    const name = names[index] ?? '';
    const home = join(directory, name);
    await mkdir(home);
    const socketPath = join(home, 'socket');
    const flags = [
      `--data-root=${join(home, 'data')}`,
      `--exec-root=${join(home, 'exec')}`,
      `--pidfile=${join(home, 'pid')}`,
      `--host=unix://${socketPath}`,
      `--cgroup-parent=/${name}`,
      // Swarm's API of this age cannot ask for it per service.
      '--no-new-privileges',
      '--log-level=error',
    ];
    const script = 'mount -t tmpfs tmpfs /run && exec dockerd "$@"';
    const args = [`--net=/run/netns/${name}`, 'unshare', '--mount', 'sh', '-c', script, 'sh', ...flags];
    const child = spawn('nsenter', args, { stdio: 'ignore' });
    children.push(child);
    const docker = new Docker({ socketPath });
    const end = clock.monotonic() + STARTS_WITHIN_MS;
    for (;;) {
      try {
        await docker.ping();
        break;
      } catch (error) {
        if (clock.monotonic() > end) throw new Error('a private engine does not answer', { cause: error });
        await clock.sleep(100);
      }
    }
    return {
      socketPath,
      address: addresses[index] ?? '',
      async lose() {
        await run('ip', ['link', 'delete', `${name}h`]);
        await run('nsenter', [
          `--net=/run/netns/${name}`,
          'ip',
          'link',
          'set',
          index === 0 ? `${tag}x` : `${tag}y`,
          'down',
        ]);
        await kill(child);
        await killUsersOf(home);
      },
    };
  }

  async function kill(child: ChildProcess): Promise<void> {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async function remove(): Promise<void> {
    await Promise.all(children.map(kill));
    await killUsersOf(directory);
    for (const name of names) {
      await run('ip', ['link', 'delete', `${name}h`]).catch(() => undefined);
      await run('ip', ['netns', 'delete', name]).catch(() => undefined);
      await removeCgroups(name);
    }
    await rm(directory, { recursive: true, force: true, maxRetries: 20, retryDelay: 200 });
  }

  try {
    await connect();
    const [manager, worker] = await Promise.all([start(0), start(1)]);
    await form(manager, worker);
    return { manager, worker, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

const tokens = z.object({ JoinTokens: z.object({ Worker: z.string() }) });
const NS_PER_SECOND = 1_000_000_000;

async function form(manager: SwarmEngine, worker: SwarmEngine): Promise<void> {
  const [first, second] = [manager, worker].map(({ socketPath }) => new Docker({ socketPath }));
  if (!first || !second) throw new Error('there are two');
  await first.swarmInit({
    AdvertiseAddr: manager.address,
    ListenAddr: `${manager.address}:${MANAGER_PORT}`,
    // A node counts as down after three that were missed.
    Spec: { Dispatcher: { HeartbeatPeriod: NS_PER_SECOND } },
  });
  const { JoinTokens: join } = tokens.parse(await first.swarmInspect());
  await second.swarmJoin({
    AdvertiseAddr: worker.address,
    ListenAddr: `${worker.address}:${MANAGER_PORT}`,
    RemoteAddrs: [`${manager.address}:${MANAGER_PORT}`],
    JoinToken: join.Worker,
  });
}

/** The kernel keeps a group for each engine's containers until somebody removes it; deepest first. */
async function removeCgroups(name: string): Promise<void> {
  const controllers = await readdir('/sys/fs/cgroup').catch(() => []);
  for (const top of [`/sys/fs/cgroup/${name}`, ...controllers.map((each) => `/sys/fs/cgroup/${each}/${name}`)]) {
    await run('find', [top, '-depth', '-type', 'd', '-delete']).catch(() => undefined);
  }
}
