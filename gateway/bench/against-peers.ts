import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startControlPlane } from '../harness/gateway.ts';
import { startGatewayProcess } from './gateway-process.ts';
import {
  answers,
  freePorts,
  type Latency,
  type Measure,
  measureIdle,
  measureLatency,
  measureLoad,
  median,
} from './measure.ts';
import {
  benchRoutes,
  H2C_HOST,
  HOST,
  type MeasuredProxy,
  PEERS,
  type PeerContext,
  Processes,
  startUpstream,
} from './peers.ts';

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

const WORKLOADS: readonly Workload[] = [
  { name: 'small', path: '/small', connections: 64, script: COUNT },
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
const LATENCY = 'latency';
const MEMORY = 'memory';
export const WORKLOAD_NAMES: readonly string[] = [...WORKLOADS.map(({ name }) => name), LATENCY, MEMORY];

/** V8 optimises while it runs; a gateway lives for weeks. */
const WARM_UP_SECONDS = 6;
const FIXED_RATE = 2000;

/**
 * The gateway with every feature on, beside other proxies in the same run: same instance, one core each, alternating
 * rounds, CPU from /proc. Needs nginx, wrk, h2load and redis-server, and what the chosen peers need.
 */
export async function benchGateway(options: BenchOptions): Promise<Record<string, Record<string, number>>> {
  const { print } = options;
  const directory = await mkdtemp(join(tmpdir(), 'skyrun-bench-'));
  const processes = new Processes();
  // However this process ends, nothing it started stays.
  process.once('exit', () => processes.kill());
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
  const [upstreamPort = 0, redisPort = 0, gatewayPort = 0, h2cPort = 0, ...peerPorts] = await freePorts(
    4 + options.peers.length,
  );
  const h2c = options.h2c ? { h2cPort } : {};
  const context: PeerContext = { processes, directory, upstreamPort, ...h2c };
  const control = await startControlPlane(
    benchRoutes(upstreamPort, { policy: options.policy, count: options.routes, ...h2c }),
  );
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
    const gateway = startGatewayProcess(processes, {
      port: gatewayPort,
      controlUrl: control.url,
      redisPort,
      directory,
      ...(options.nodeFlags === undefined ? {} : { nodeFlags: options.nodeFlags }),
    });
    const pid = gateway.pid ?? 0;
    const proxies: MeasuredProxy[] = [{ name: 'skyrun', port: gatewayPort, pid }];
    if (options.h2c) proxies.push({ name: 'skyrun h2c', host: H2C_HOST, port: gatewayPort, pid });
    for (const [index, name] of options.peers.entries()) {
      const port = peerPorts[index] ?? 0;
      const child = await PEERS[name]?.(context, port);
      proxies.push({ name, port, pid: child?.pid ?? 0 });
    }
    for (const proxy of proxies) await answers(proxy.port);
    if (options.workloads.includes(MEMORY)) await compareMemory(proxies, print);
    for (const workload of WORKLOADS.filter(({ name }) => options.workloads.includes(name))) {
      ratios[workload.name] = await compareLoad(workload, proxies, { ...options, directory });
    }
    if (options.workloads.includes(LATENCY)) ratios[LATENCY] = await compareLatency(proxies, { ...options, directory });
    return ratios;
  } finally {
    await processes.end();
    await control.close();
    await rm(directory, { recursive: true, force: true });
  }
}

/** Skyrun's CPU per request by each peer's, median over the rounds. */
async function compareLoad(
  workload: Workload,
  proxies: readonly MeasuredProxy[],
  options: BenchOptions & { directory: string },
): Promise<Record<string, number>> {
  const script = join(options.directory, `${workload.name.replaceAll(' ', '-')}.lua`);
  await writeFile(script, workload.script);
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
  options.print(workload.name);
  const ratios: Record<string, number> = {};
  for (const [name, list] of measures) {
    const of = (pick: (one: Measure) => number) => median(list.map(pick));
    const ratio = median(ours.map((one, index) => one.cpuMicrosPerRequest / (list[index]?.cpuMicrosPerRequest ?? 0)));
    if (name !== 'skyrun') ratios[name] = round2(ratio);
    options.print(
      `  ${name.padEnd(12)} ${of((one) => one.cpuMicrosPerRequest)
        .toFixed(1)
        .padStart(7)} µs CPU per request, ` +
        `${Math.round(of((one) => one.requestsPerSecond))} requests/s, ` +
        `${list.reduce((sum, one) => sum + one.errors, 0)} errors` +
        (name === 'skyrun' ? '' : `   ratio ${ratio.toFixed(2)}`),
    );
  }
  return ratios;
}

async function compareLatency(
  proxies: readonly MeasuredProxy[],
  options: BenchOptions & { directory: string },
): Promise<Record<string, number>> {
  const measures = new Map<string, Latency[]>(proxies.map(({ name }) => [name, []]));
  for (let round = 0; round < options.rounds; round += 1) {
    for (const proxy of round % 2 === 0 ? proxies : [...proxies].reverse()) {
      const load = { directory: options.directory, ratePerSecond: FIXED_RATE, seconds: options.seconds };
      measures.get(proxy.name)?.push(await measureLatency(proxy, load));
    }
  }
  const ours = measures.get('skyrun') ?? [];
  options.print(`latency at ${FIXED_RATE} requests/s`);
  const ratios: Record<string, number> = {};
  for (const [name, list] of measures) {
    const ratio = median(ours.map((one, index) => one.p99Ms / (list[index]?.p99Ms ?? 0)));
    if (name !== 'skyrun') ratios[name] = round2(ratio);
    options.print(
      `  ${name.padEnd(12)} p50 ${median(list.map(({ p50Ms }) => p50Ms)).toFixed(2)} ms, ` +
        `p99 ${median(list.map(({ p99Ms }) => p99Ms)).toFixed(2)} ms` +
        (name === 'skyrun' ? '' : `   p99 ratio ${ratio.toFixed(2)}`),
    );
  }
  return ratios;
}

async function compareMemory(proxies: readonly MeasuredProxy[], print: (line: string) => void): Promise<void> {
  print(`memory with idle connections (${HOST})`);
  for (const proxy of proxies) {
    const few = await measureIdle(proxy, 64);
    const many = await measureIdle(proxy, 2000);
    print(`  ${proxy.name.padEnd(12)} ${few.toFixed(0)} MiB with 64, ${many.toFixed(0)} MiB with 2000`);
  }
}

function round2(value: number): number {
  return Math.round(value * 100) / 100;
}
