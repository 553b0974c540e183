import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@skyrun/kit/base';
import { openDevelopmentAuthority } from '../edge/development-authority.ts';
import { type ControlPlane, startControlPlane } from '../harness/gateway.ts';
import { compareLatency } from './compare-latency.ts';
import { leaveToProxies, PROXY_CORE } from './cores.ts';
import { startGatewayProcess } from './gateway-process.ts';
import { answers, freePorts, type Measure, measureIdle, measureLoad, median } from './measure.ts';
import {
  benchRoutes,
  H2C_HOST,
  type MeasuredProxy,
  PEERS,
  type PeerContext,
  PIPELINED_HOST,
  Processes,
  startUpstream,
} from './peers.ts';
import { measureRouteChanges } from './route-changes.ts';
import { type Cell, heading, row } from './table.ts';

export interface BenchOptions {
  /** Rounds per workload; the order within a round alternates. */
  readonly rounds: number;
  readonly seconds: number;
  readonly workloads: readonly string[];
  readonly peers: readonly string[];
  readonly nodeFlags?: readonly string[];
  /** Routes in the gateway's table. */
  readonly routes: number;
  /** Whether the service has a policy: address lists, a rate limit shared through Redis, bounds, a breaker. */
  readonly policy: boolean;
  /** Measures the gateway a second time, with the instance spoken to in HTTP/2. */
  readonly h2c: boolean;
  readonly print: (line: string) => void;
}

interface Workload {
  readonly name: string;
  readonly path: string;
  readonly connections: number;
  readonly script: string;
}

const COUNT = `done = function(summary)
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, summary.duration,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))
end
`;
const POST = `wrk.method = "POST"\nwrk.body = string.rep("x", 1024)\nwrk.headers["Content-Type"] = "text/plain"\n${COUNT}`;
/** As from browsers behind one address: no two heads are equal, so nothing that was learnt from one serves the next. */
const VARIED = `local count = 0
wrk.headers["User-Agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
wrk.headers["Accept"] = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
wrk.headers["Accept-Encoding"] = "gzip, deflate, br"
wrk.headers["Accept-Language"] = "en-GB,en;q=0.9"
request = function()
  count = count + 1
  wrk.headers["Cookie"] = "session=" .. count .. "; theme=dark"
  return wrk.format(nil, "/small?item=" .. count)
end
${COUNT}`;

const SMALL: Workload = { name: 'small', path: '/small', connections: 64, script: COUNT };
const WORKLOADS: readonly Workload[] = [
  SMALL,
  { name: 'varied', path: '/small', connections: 64, script: VARIED },
  { name: '10 KiB', path: '/10k', connections: 64, script: COUNT },
  { name: 'POST', path: '/small', connections: 64, script: POST },
  { name: '256 KiB', path: '/256k', connections: 64, script: COUNT },
  { name: '512 connections', path: '/small', connections: 512, script: COUNT },
  {
    name: 'connection per request',
    path: '/small',
    connections: 64,
    script: `wrk.headers["Connection"] = "close"\n${COUNT}`,
  },
];
/** Reads that share connections, beside reads that do not. */
const PIPELINED = 'pipelined';
const LATENCY = 'latency';
/** The instance itself: what the generator and it take of each latency. */
const NO_PROXY = 'no proxy';
const MEMORY = 'memory';
/** Two gateways, one with one route and one with very many. */
const ROUTES = '100,000 routes';
const MANY_ROUTES = 100_000;
/** What holds up requests when routes change, among very many. */
const CHANGES = 'route changes';
export const WORKLOAD_NAMES: readonly string[] = [
  ...WORKLOADS.map(({ name }) => name),
  PIPELINED,
  ROUTES,
  CHANGES,
  LATENCY,
  MEMORY,
];

/** V8 optimises while it runs; a gateway lives for weeks. On a core that is all used it takes this long. */
const WARM_UP_SECONDS = 12;
const LONG_WARM_UP_SECONDS = 20;

/**
 * The gateway with every feature on, beside other proxies in the same run: same instance, one core each (the same for all, with
 * nothing else on it), alternating rounds, CPU from /proc. Needs nginx, wrk, h2load and redis-server, and what the chosen peers need.
 */
export async function benchGateway(options: BenchOptions): Promise<Record<string, Record<string, number>>> {
  const { print } = options;
  const directory = await mkdtemp(join(tmpdir(), 'skyrun-bench-'));
  leaveToProxies();
  const processes = new Processes(PROXY_CORE);
  // However this process ends, nothing it started stays.
  process.once('exit', () => processes.kill());
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
  const [upstreamPort = 0, redisPort = 0, gatewayPort = 0, h2cPort = 0, manyPort = 0, ...peerPorts] = await freePorts(
    5 + options.peers.length,
  );
  const h2c = options.h2c ? { h2cPort } : {};
  const context: PeerContext = { processes, directory, upstreamPort, ...h2c };
  const control = await startControlPlane(
    benchRoutes(upstreamPort, { policy: options.policy, count: options.routes, ...h2c }),
  );
  let many: ControlPlane | undefined;
  const ratios: Record<string, Record<string, number>> = {};
  try {
    await startUpstream(context);
    processes.start('redis-server', [
      '--port',
      String(redisPort),
      '--save',
      '',
      '--dir',
      directory,
      '--loglevel',
      'warning',
    ]);
    // A gateway makes it at its first start only, and needs memory for that which no later start does.
    await openDevelopmentAuthority(join(directory, 'tls', 'development'), systemClock);
    const place = {
      redisPort,
      directory,
      ...(options.nodeFlags === undefined ? {} : { nodeFlags: options.nodeFlags }),
    };
    const gateway = startGatewayProcess(processes, { ...place, port: gatewayPort, controlUrl: control.url });
    const pid = gateway.pid ?? 0;
    const proxies: MeasuredProxy[] = [{ name: 'skyrun', port: gatewayPort, pid }];
    if (options.h2c) proxies.push({ name: 'skyrun h2c', host: H2C_HOST, port: gatewayPort, pid });
    for (const [index, name] of options.peers.entries()) {
      const port = peerPorts[index] ?? 0;
      const child = await PEERS[name]?.(context, port);
      proxies.push({ name, port, pid: child?.pid ?? 0 });
    }
    for (const proxy of proxies) await answers(proxy.port);
    print(heading(proxies.map(({ name }) => name)));
    if (options.workloads.includes(MEMORY)) ratios[MEMORY] = await compareMemory(proxies, print);
    for (const workload of WORKLOADS.filter(({ name }) => options.workloads.includes(name))) {
      ratios[workload.name] = await compareLoad(workload, proxies, { ...options, directory });
    }
    if (options.workloads.includes(PIPELINED)) {
      const [own, ...peers] = proxies.filter(({ name }) => name !== 'skyrun h2c');
      const trio = [
        { name: 'skyrun', host: PIPELINED_HOST, port: gatewayPort, pid },
        ...peers,
        ...(own === undefined ? [] : [{ ...own, name: 'one at a time' }]),
      ];
      print(heading(trio.map(({ name }) => name)));
      ratios[PIPELINED] = await compareLoad({ ...SMALL, name: PIPELINED }, trio, { ...options, directory });
    }
    if (options.workloads.includes(ROUTES)) {
      many = await startControlPlane(benchRoutes(upstreamPort, { policy: options.policy, count: MANY_ROUTES }));
      const child = startGatewayProcess(processes, {
        ...place,
        id: 'bench-routes',
        port: manyPort,
        controlUrl: many.url,
      });
      await answers(manyPort);
      const pair = [...proxies.slice(0, 1), { name: ROUTES, port: manyPort, pid: child.pid ?? 0 }];
      ratios[ROUTES] = await compareLoad({ ...SMALL, name: ROUTES }, pair, { ...options, directory });
    }
    if (options.workloads.includes(CHANGES)) {
      const routes = benchRoutes(upstreamPort, { policy: options.policy, count: MANY_ROUTES });
      ratios[CHANGES] = await measureRouteChanges({ ...place, routes, processes, print });
    }
    if (options.workloads.includes(LATENCY)) {
      const script = await writeScript(SMALL, directory);
      // At its rate it takes minutes until V8 has compiled what is asked often, on the gateway's core.
      for (const proxy of proxies) await measureLoad(proxy, { ...SMALL, script, seconds: LONG_WARM_UP_SECONDS });
      const upstream = { name: NO_PROXY, port: upstreamPort };
      Object.assign(ratios, await compareLatency(proxies, { ...options, directory, processes, upstream }));
    }
    return ratios;
  } finally {
    await processes.end();
    await control.close();
    await many?.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Skyrun's CPU per request by each peer's, median over the rounds. */
async function compareLoad(
  workload: Workload,
  proxies: readonly MeasuredProxy[],
  options: BenchOptions & { directory: string },
): Promise<Record<string, number>> {
  const script = await writeScript(workload, options.directory);
  const measures = new Map<string, Measure[]>(proxies.map(({ name }) => [name, []]));
  // The first round warms up and does not count.
  for (let round = -1; round < options.rounds; round += 1) {
    for (const proxy of round % 2 === 0 ? proxies : [...proxies].reverse()) {
      const seconds = round < 0 ? WARM_UP_SECONDS : options.seconds;
      const measure = await measureLoad(proxy, { ...workload, script, seconds });
      if (round >= 0) measures.get(proxy.name)?.push(measure);
    }
  }
  const ours = measures.get('skyrun') ?? [];
  const ratios: Record<string, number> = {};
  const cells = Array.from(measures, ([name, list]) => {
    const ratio = median(ours.map((one, index) => one.cpuMicrosPerRequest / (list[index]?.cpuMicrosPerRequest ?? 0)));
    if (name !== 'skyrun') ratios[name] = round2(ratio);
    const micros = median(list.map((one) => one.cpuMicrosPerRequest));
    return { figure: `${micros.toFixed(1)} µs`, ratio: name === 'skyrun' ? null : ratio };
  });
  const rate = Math.round(median(ours.map((one) => one.requestsPerSecond)));
  const errors = Array.from(measures.values(), (list) => list.reduce((sum, one) => sum + one.errors, 0));
  const failed = errors.some((count) => count > 0) ? `, errors ${errors.join(' / ')}` : '';
  options.print(row(workload.name, cells, `${rate} requests/s${failed}`));
  return ratios;
}

/** What wrk reads; returns its path. */
async function writeScript(workload: Workload, directory: string): Promise<string> {
  const path = join(directory, `${workload.name.replaceAll(' ', '-')}.lua`);
  await writeFile(path, workload.script);
  return path;
}

async function compareMemory(
  proxies: readonly MeasuredProxy[],
  print: (line: string) => void,
): Promise<Record<string, number>> {
  const resident: Record<string, number> = {};
  for (const count of [64, 2000]) {
    const cells: Cell[] = [];
    for (const proxy of proxies) {
      const mebibytes = await measureIdle(proxy, count);
      if (count === 2000) resident[proxy.name] = Math.round(mebibytes);
      cells.push({ figure: `${mebibytes.toFixed(0)} MiB`, ratio: null });
    }
    print(row(`memory, ${count} idle`, cells));
  }
  return resident;
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
