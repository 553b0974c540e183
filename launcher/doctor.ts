import { existsSync, mkdirSync, readFileSync, statfsSync, statSync } from 'node:fs';
import { freemem } from 'node:os';
import { loadConfig } from '@skyrun/kit';
import { orchestratorConfig } from '@skyrun/orchestrator';
import { launcherConfig } from './config.ts';
import { dockerVersion, portIsFree, unprivilegedAccount } from './infra/index.ts';
import type { Layout } from './layout.ts';
import { runningState } from './up/follow.ts';
import { hasProgram, installCommand, missingPackages, requirements } from './up/packages.ts';
import type { Progress } from './up/progress.ts';

interface Finding {
  readonly subject: string;
  readonly ok: boolean;
  readonly detail: string;
  /** It works without, but somebody should know. */
  readonly warning?: boolean;
  /** What to do about it. */
  readonly advice?: string;
}

const MIB = 1_048_576;
const GIB = 1_073_741_824;

/** Look at everything that `up` depends on. Resolves with 0 when nothing stands in its way. */
export async function doctor(layout: Layout, progress: Progress): Promise<number> {
  const findings = [
    machine(),
    ...(await engine()),
    networkRules(),
    packages(),
    disk(layout),
    memory(),
    unsentBytes(),
    ...(await ports(layout)),
    secrets(layout),
  ];
  for (const { subject, ok, warning = false, detail, advice } of findings) {
    progress.line(`  ${warning ? '!' : ok ? '✓' : '✗'} ${subject.padEnd(16)} ${detail}`);
    if ((!ok || warning) && advice !== undefined) progress.line(`    ${advice}`);
  }
  const failed = findings.filter((finding) => !finding.ok).length;
  progress.line(failed === 0 ? '\nnothing stands in the way of ./skyrun up' : `\n${failed} to put right`);
  return failed === 0 ? 0 : 1;
}

function machine(): Finding {
  const system = existsSync('/etc/os-release')
    ? /PRETTY_NAME="(.*)"/.exec(readFileSync('/etc/os-release', 'utf8'))?.[1]
    : undefined;
  const root = unprivilegedAccount() !== null;
  const setpriv = existsSync('/usr/bin/setpriv') || existsSync('/bin/setpriv');
  return {
    subject: 'machine',
    ok: setpriv,
    detail: `${system ?? 'unknown Linux'}, ${process.arch}, Node ${process.version}, ${root ? 'root' : 'not root'}`,
    advice: 'setpriv is missing; it is part of util-linux',
  };
}

async function engine(): Promise<Finding[]> {
  const socketPath = loadConfig(launcherConfig).SKYRUN_DOCKER_SOCKET;
  const answer = await dockerVersion(socketPath);
  const grouped = /\scgroup2?\s/.test(readFileSync('/proc/mounts', 'utf8'));
  const canStart = unprivilegedAccount() !== null;
  return [
    'error' in answer
      ? {
          subject: 'Docker Engine',
          ok: canStart,
          detail: canStart
            ? `none answers on ${socketPath}; up starts one`
            : `none answers on ${socketPath}: ${answer.error}`,
          advice: 'start Docker, and add yourself to the group docker',
        }
      : { subject: 'Docker Engine', ok: true, detail: `${answer.version} on ${socketPath}` },
    {
      subject: 'control groups',
      ok: grouped || canStart,
      detail: grouped ? 'mounted' : 'not mounted',
      advice: 'up mounts them when root',
    },
  ];
}

/** Whether containers can be kept from the machine's own servers and from metadata services. */
function networkRules(): Finding {
  const { SKYRUN_NETWORK_RULES: mode, SKYRUN_RUNTIME: runtime } = loadConfig(orchestratorConfig);
  const root = process.getuid?.() === 0;
  const there = hasProgram('iptables') && hasProgram('ip6tables');
  const can = root && there;
  const missing = there ? 'only root may set them' : 'iptables is not installed';
  const subject = 'network rules';
  if (runtime === 'swarm') {
    return {
      subject,
      ok: true,
      warning: true,
      detail:
        'on the nodes of a swarm they are yours to set: containers can reach servers of their node and metadata services',
      advice: 'see services/orchestrator/runtime/swarm/README.md',
    };
  }
  if (mode !== 'off' && can) return { subject, ok: true, detail: 'set while containers run' };
  return {
    subject,
    ok: mode !== 'required',
    warning: true,
    detail: `${mode === 'off' ? 'SKYRUN_NETWORK_RULES=off' : missing}: containers can reach servers of this machine and metadata services`,
    advice:
      mode === 'off'
        ? 'unset SKYRUN_NETWORK_RULES, or set rules of your own'
        : 'install iptables and run ./skyrun up as root, or bind the machine’s servers to 127.0.0.1',
  };
}

function packages(): Finding {
  const missing = missingPackages(requirements({ engineAnswers: true, distributed: false, tests: false }), existsSync);
  const root = unprivilegedAccount() !== null;
  const missingForTests = missingPackages(
    requirements({ engineAnswers: true, distributed: true, tests: true }),
    existsSync,
  );
  const note = missingForTests.length > 0 ? ` (tests will also want ${missingForTests.join(', ')})` : '';
  return {
    subject: 'packages',
    ok: missing.length === 0 || root,
    detail:
      missing.length === 0 ? `all there${note}` : `missing: ${missing.join(', ')}${root ? '; up installs them' : ''}`,
    advice: installCommand(missing, root),
  };
}

function disk(layout: Layout): Finding {
  mkdirSync(layout.dataDir, { recursive: true });
  const { bavail, bsize } = statfsSync(layout.dataDir);
  const free = bavail * bsize;
  return {
    subject: 'disk',
    ok: free > 2 * GIB,
    detail: `${(free / GIB).toFixed(1)} GiB free in ${layout.dataDir}`,
    advice: 'at least 2 GiB are needed',
  };
}

function memory(): Finding {
  const free = freemem();
  return {
    subject: 'memory',
    ok: free > GIB / 2,
    detail: `${(free / GIB).toFixed(1)} GiB free`,
    advice: 'at least 0.5 GiB is needed',
  };
}

/** The gateway cannot bound what the kernel holds for a client that takes nothing; Node has no way to ask for it per socket. */
function unsentBytes(): Finding {
  const path = '/proc/sys/net/ipv4/tcp_notsent_lowat';
  const bytes = existsSync(path) ? Number(readFileSync(path, 'utf8')) : Number.POSITIVE_INFINITY;
  const bounded = bytes <= MIB;
  return {
    subject: 'slow clients',
    ok: true,
    warning: !bounded,
    detail: bounded
      ? `the kernel holds ${bytes} bytes at most that were not sent, for each`
      : 'the kernel holds up to megabytes for each client that takes nothing',
    advice: 'sysctl -w net.ipv4.tcp_notsent_lowat=131072, and the same in /etc/sysctl.d',
  };
}

async function ports(layout: Layout): Promise<Finding[]> {
  const state = runningState(layout);
  if (state !== null)
    return [{ subject: 'installation', ok: true, detail: `${state.phase} on port ${state.gatewayPort}` }];
  const config = loadConfig(launcherConfig);
  const port = config.SKYRUN_GATEWAY_PORT;
  const free = await portIsFree(port, config.SKYRUN_GATEWAY_LISTEN_HOST);
  return [
    {
      subject: 'port',
      ok: free,
      detail: `${port} is ${free ? 'free' : 'taken'}`,
      advice: './skyrun up --port N takes another',
    },
  ];
}

function secrets(layout: Layout): Finding {
  if (!existsSync(layout.secrets)) return { subject: 'secrets', ok: true, detail: 'none yet; the first up makes them' };
  const mode = statSync(layout.secrets).mode & 0o777;
  return {
    subject: 'secrets',
    ok: mode === 0o600,
    detail: `${layout.secrets}, mode ${mode.toString(8)}`,
    advice: `chmod 600 ${layout.secrets}`,
  };
}
