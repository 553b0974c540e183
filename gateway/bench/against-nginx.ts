import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { route, startControlPlane, target } from '../harness/gateway.ts';

const run = promisify(execFile);

/** Node flags that the gateway runs with: one thread for all, and a young generation that short-lived heads fit in. */
export const NODE_FLAGS = ['--single-threaded-gc', '--max-semi-space-size=32'] as const;

export interface BenchOptions {
  /** Pairs of rounds per workload; the order within a pair alternates. */
  readonly rounds?: number;
  readonly seconds?: number;
  readonly connections?: number;
  readonly workloads?: readonly string[];
  readonly nodeFlags?: readonly string[];
  readonly print?: (line: string) => void;
}

export interface Measure {
  readonly cpuMicrosPerRequest: number;
  readonly requestsPerSecond: number;
  readonly errors: number;
}

export interface WorkloadResult {
  readonly workload: string;
  readonly skyrun: readonly Measure[];
  readonly nginx: readonly Measure[];
  /** Skyrun's CPU per request by nginx's, median over the pairs. */
  readonly ratio: number;
}

interface Workload {
  readonly name: string;
  readonly path: string;
  readonly script: string;
}

const LUA_COUNT = `done = function(summary)
  io.write(string.format("RESULT %d %d %d\\n", summary.requests, summary.duration,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.status + summary.errors.timeout))
end
`;

const WORKLOADS: readonly Workload[] = [
  { name: 'small', path: '/small', script: LUA_COUNT },
  { name: '10 KiB', path: '/10k', script: LUA_COUNT },
  {
    name: 'POST',
    path: '/small',
    script: `wrk.method = "POST"\nwrk.body = string.rep("x", 1024)\nwrk.headers["Content-Type"] = "text/plain"\n${LUA_COUNT}`,
  },
  { name: '256 KiB', path: '/256k', script: LUA_COUNT },
  { name: 'connection per request', path: '/small', script: `wrk.headers["Connection"] = "close"\n${LUA_COUNT}` },
];

/** V8 optimises while it runs; a gateway lives for weeks. */
const WARM_UP_SECONDS = 6;
const HOST = 'hello.demo.localhost';

/**
 * CPU time per proxied request of the gateway, with routing, balancing, breaking, metering into the spool, request ids
 * and trace headers on, against Debian's nginx with one worker, keep-alive to the upstream and the same forwarding
 * fields. Same upstream, alternating rounds, CPU from /proc. Needs nginx, wrk and redis-server.
 */
export async function benchGateway(options: BenchOptions = {}): Promise<WorkloadResult[]> {
  const { rounds = 5, seconds = 3, connections = 64, nodeFlags = NODE_FLAGS, print = () => undefined } = options;
  const names = options.workloads ?? ['small', '10 KiB', 'POST'];
  const directory = await mkdtemp(join(tmpdir(), 'skyrun-bench-'));
  const children: ChildProcess[] = [];
  // However this process ends, nothing it started stays.
  const endChildren = () => {
    for (const child of children) child.kill('SIGKILL');
  };
  const onSignal = () => process.exit(1);
  process.once('exit', endChildren);
  process.once('SIGTERM', onSignal);
  process.once('SIGINT', onSignal);
  const [upstreamPort, nginxPort, redisPort, gatewayPort] = await freePorts(4);
  const control = await startControlPlane([route([target([upstreamPort ?? 0])], HOST)]);
  try {
    await writeFile(join(directory, '10k'), 'x'.repeat(10_240));
    await writeFile(join(directory, '256k'), 'x'.repeat(262_144));
    children.push(await startNginx(directory, 'upstream', upstreamConfig(upstreamPort ?? 0, directory)));
    const nginx = await startNginx(directory, 'proxy', proxyConfig(nginxPort ?? 0, upstreamPort ?? 0));
    children.push(nginx);
    children.push(
      spawn('redis-server', ['--port', String(redisPort), '--save', '', '--dir', directory], { stdio: 'ignore' }),
    );
    const gateway = spawn(process.execPath, [...nodeFlags, new URL('../main.ts', import.meta.url).pathname], {
      stdio: ['ignore', 'ignore', 'inherit'],
      env: {
        SKYRUN_GATEWAY_ID: 'bench',
        SKYRUN_PORT: String(gatewayPort),
        SKYRUN_DATA_DIR: directory,
        SKYRUN_INTERNAL_TOKEN: 'bench-token-bench-token-bench-token-bench',
        SKYRUN_REDIS_URL: `redis://127.0.0.1:${redisPort}`,
        SKYRUN_LOG_LEVEL: 'warn',
        ...Object.fromEntries(
          ['IDENTITY', 'REGISTRY', 'ORCHESTRATOR', 'EVENTS', 'BILLING'].map((name) => [
            `SKYRUN_${name}_URL`,
            control.url,
          ]),
        ),
      },
    });
    children.push(gateway);
    await answers(nginxPort ?? 0);
    await answers(gatewayPort ?? 0);
    const proxies = [
      { name: 'skyrun' as const, port: gatewayPort ?? 0, pid: gateway.pid ?? 0 },
      { name: 'nginx' as const, port: nginxPort ?? 0, pid: nginx.pid ?? 0 },
    ];
    const results: WorkloadResult[] = [];
    for (const workload of WORKLOADS.filter((one) => names.includes(one.name))) {
      const script = join(directory, `${workload.name.replaceAll(' ', '-')}.lua`);
      await writeFile(script, workload.script);
      const measures = { skyrun: [] as Measure[], nginx: [] as Measure[] };
      // The first pair warms up and does not count.
      for (let round = -1; round < rounds; round += 1) {
        for (const proxy of round % 2 === 0 ? proxies : [...proxies].reverse()) {
          const measure = await measureRound(proxy, {
            script,
            path: workload.path,
            connections,
            seconds: round < 0 ? WARM_UP_SECONDS : seconds,
          });
          if (round >= 0) measures[proxy.name].push(measure);
        }
      }
      const ratio = median(
        measures.skyrun.map(
          (one, index) => one.cpuMicrosPerRequest / (measures.nginx[index]?.cpuMicrosPerRequest ?? Number.NaN),
        ),
      );
      results.push({ workload: workload.name, ...measures, ratio });
      print(formatResult(workload.name, measures, ratio));
    }
    return results;
  } finally {
    process.off('exit', endChildren);
    process.off('SIGTERM', onSignal);
    process.off('SIGINT', onSignal);
    for (const child of children) child.kill('SIGTERM');
    await Promise.all(
      children.map(
        (child) => new Promise((resolve) => (child.exitCode === null ? child.once('exit', resolve) : resolve(0))),
      ),
    );
    await control.close();
    await rm(directory, { recursive: true, force: true });
  }
}

function formatResult(name: string, measures: { skyrun: Measure[]; nginx: Measure[] }, ratio: number): string {
  const describe = (list: readonly Measure[]) =>
    `${median(list.map((one) => one.cpuMicrosPerRequest)).toFixed(1)} µs, ` +
    `${Math.round(median(list.map((one) => one.requestsPerSecond)))}/s, ` +
    `${list.reduce((sum, one) => sum + one.errors, 0)} errors`;
  return `${name.padEnd(24)} skyrun ${describe(measures.skyrun)}   nginx ${describe(measures.nginx)}   ratio ${ratio.toFixed(2)}`;
}

async function measureRound(
  proxy: { port: number; pid: number },
  load: { script: string; path: string; connections: number; seconds: number },
): Promise<Measure> {
  const before = await cpuMicros(proxy.pid);
  const { stdout } = await run('wrk', [
    '-t1',
    `-c${load.connections}`,
    `-d${load.seconds}s`,
    '-s',
    load.script,
    '-H',
    `Host: ${HOST}`,
    `http://127.0.0.1:${proxy.port}${load.path}`,
  ]);
  const after = await cpuMicros(proxy.pid);
  const [, requests = '0', micros = '1', errors = '0'] = /RESULT (\d+) (\d+) (\d+)/.exec(stdout) ?? [];
  return {
    cpuMicrosPerRequest: (after - before) / Number(requests),
    requestsPerSecond: (Number(requests) * 1e6) / Number(micros),
    errors: Number(errors),
  };
}

/** User and system time of a process and all its threads, in µs; clock ticks are 10 ms on Linux. */
async function cpuMicros(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const parts = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(parts[11]) + Number(parts[12])) * 10_000;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve) => {
          const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  return Promise.all(
    servers.map(async (server) => {
      const address = server.address();
      await new Promise((resolve) => server.close(resolve));
      return typeof address === 'object' && address !== null ? address.port : 0;
    }),
  );
}

async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`nothing answers on port ${port}`);
}

async function startNginx(directory: string, name: string, http: string): Promise<ChildProcess> {
  const path = join(directory, `${name}.conf`);
  await writeFile(
    path,
    `daemon off; master_process off; worker_processes 1; pid ${directory}/${name}.pid; error_log stderr error;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 100000000; keepalive_timeout 3600s; tcp_nodelay on;
client_body_temp_path ${directory}; proxy_temp_path ${directory}; fastcgi_temp_path ${directory};
uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
${http} }
`,
  );
  return spawn('nginx', ['-c', path, '-e', 'stderr'], { stdio: ['ignore', 'ignore', 'inherit'] });
}

function upstreamConfig(port: number, directory: string): string {
  return `server { listen 127.0.0.1:${port} backlog=4096; root ${directory}; default_type text/plain;
location = /small { return 200 "hello, world\\n"; }
location = /10k { try_files /10k =404; open_file_cache max=10; }
location = /256k { try_files /256k =404; open_file_cache max=10; }
location / { return 200 "ok\\n"; } }`;
}

function proxyConfig(port: number, upstream: number): string {
  return `upstream instances { server 127.0.0.1:${upstream}; keepalive 512; keepalive_requests 100000000; }
server { listen 127.0.0.1:${port} backlog=4096; server_name ${HOST};
location / { proxy_pass http://instances; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
proxy_set_header X-Request-Id $request_id; } }
server { listen 127.0.0.1:${port} default_server; return 404; }`;
}
