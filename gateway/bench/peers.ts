import { type ChildProcess, fork, spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Route, ServicePolicy } from '@skyrun/contracts';
import { route, target } from '../harness/gateway.ts';
import { GATEWAY_SWITCHES } from '../switches.ts';

export const HOST = 'hello.demo.localhost';
/** The same instance, spoken to in HTTP/2. */
export const H2C_HOST = 'multiplexed.demo.localhost';
/** The same instance, whose reads share connections. */
export const PIPELINED_HOST = 'pipelined.demo.localhost';

/** Every feature that costs a request anything, at bounds that none of the benchmark's requests meets. */
const POLICY: ServicePolicy = {
  invoker: 'public',
  allow: ['127.0.0.0/8'],
  deny: ['203.0.113.0/24'],
  rateLimits: [{ name: 'default', per: 'address', requests: 10_000_000, windowSeconds: 1 }],
  maxRequestBytes: 1_073_741_824,
  waitingPage: true,
  firstByteTimeoutMs: 60_000,
  idleTimeoutMs: 60_000,
  breaker: { failureRatio: 0.5, slowerThanMs: 10_000, minRequests: 20 },
  slowStartMs: 1000,
};

export function benchRoutes(
  upstreamPort: number,
  options: {
    policy: boolean;
    count: number;
    /** Where the instance speaks HTTP/2 with prior knowledge; absent: nowhere. */
    h2cPort?: number;
  },
): Route[] {
  const main = route([target([upstreamPort])], HOST);
  const others = Array.from({ length: options.count - 1 }, (_, index) => ({
    ...route([target([upstreamPort], { revisionId: id('rev', index) })], `service-${index}.demo.localhost`),
    serviceId: id('svc', index),
  }));
  const shared = {
    ...route([target([upstreamPort], { revisionId: id('rev', 999_998) })], PIPELINED_HOST),
    serviceId: id('svc', 999_998),
    policy: { ...POLICY, pipelining: { depth: 16, heldUpMs: 50 } },
  };
  const routes = [options.policy ? { ...main, policy: POLICY } : main, shared, ...others];
  if (options.h2cPort === undefined) return routes;
  const multiplexed = target([options.h2cPort], { protocol: 'h2c', revisionId: id('rev', 999_999) });
  const policy = { ...POLICY, multiplexing: { streams: 100 } };
  return [...routes, { ...route([multiplexed], H2C_HOST), serviceId: id('svc', 999_999), policy }];
}

function id(kind: 'rev' | 'svc', index: number): string {
  return `${kind}_01890000-0000-7000-9000-${String(index).padStart(12, '0')}`;
}

/** What runs during a benchmark; all of it ends with it, however it ends. */
export class Processes {
  readonly #proxyCore: number | null;
  #children: ChildProcess[] = [];

  /** `proxyCore`: the one core of what is started by `startProxy`; null: as all else. */
  constructor(proxyCore: number | null = null) {
    this.#proxyCore = proxyCore;
  }

  /** What is measured. */
  startProxy(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess {
    if (this.#proxyCore === null) return this.start(command, args, env);
    // It becomes the command: the process has the same id, and all its threads the same core.
    return this.start('taskset', ['-c', String(this.#proxyCore), command, ...args], env);
  }

  start(command: string, args: readonly string[], env?: Readonly<Record<string, string>>): ChildProcess {
    const child = spawn(command, args, {
      stdio: ['ignore', 'ignore', 'inherit'],
      ...(env === undefined ? {} : { env }),
    });
    this.#children.push(child);
    return child;
  }

  /** A script of Node that is spoken to by messages. */
  fork(script: string, nodeFlags: readonly string[]): ChildProcess {
    const child = fork(script, { execArgv: [...nodeFlags], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#children.push(child);
    return child;
  }

  kill(): void {
    for (const child of this.#children) child.kill('SIGKILL');
  }

  async end(): Promise<void> {
    for (const child of this.#children) child.kill('SIGTERM');
    await Promise.all(
      this.#children.map(
        (child) =>
          new Promise((resolve) => {
            if (child.exitCode === null && child.signalCode === null) child.once('exit', resolve);
            else resolve(0);
          }),
      ),
    );
  }
}

export interface MeasuredProxy {
  readonly name: string;
  /** Asked for; HOST where absent. */
  readonly host?: string;
  readonly port: number;
  readonly pid: number;
}

export interface PeerContext {
  readonly processes: Processes;
  readonly directory: string;
  readonly upstreamPort: number;
  readonly h2cPort?: number;
}

/** Debian's nginx as the instance: small, 10 KiB and 256 KiB answers. */
export async function startUpstream({ processes, directory, upstreamPort, h2cPort }: PeerContext): Promise<void> {
  await writeFile(join(directory, '10k'), 'x'.repeat(10_240));
  await writeFile(join(directory, '256k'), 'x'.repeat(262_144));
  await startNginx(
    (command, args) => processes.start(command, args),
    directory,
    'upstream',
    `server { listen 127.0.0.1:${upstreamPort} backlog=4096;
${h2cPort === undefined ? '' : `listen 127.0.0.1:${h2cPort} http2 backlog=4096;`} root ${directory}; default_type text/plain;
location = /small { return 200 "hello, world\\n"; }
location = /10k { try_files /10k =404; open_file_cache max=10; }
location = /256k { try_files /256k =404; open_file_cache max=10; }
location / { return 200 "ok\\n"; } }`,
  );
}

export type Peer = (context: PeerContext, port: number) => Promise<ChildProcess>;

/** One core each, keep-alive to the instance, and the forwarding fields that each can write itself. */
export const PEERS: Readonly<Record<string, Peer>> = {
  nginx: ({ processes, directory, upstreamPort }, port) =>
    startNginx(
      (command, args) => processes.startProxy(command, args),
      directory,
      'proxy',
      `upstream instances { server 127.0.0.1:${upstreamPort}; keepalive 512; keepalive_requests 100000000; }
server { listen 127.0.0.1:${port} backlog=4096; server_name ${HOST};
location / { proxy_pass http://instances; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $http_host; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
proxy_set_header X-Request-Id $request_id; } }
server { listen 127.0.0.1:${port} default_server; return 404; }`,
    ),
  async haproxy({ processes, directory, upstreamPort }, port) {
    const path = join(directory, 'haproxy.cfg');
    await writeFile(
      path,
      `global
  nbthread 1
  maxconn 8192
defaults
  mode http
  timeout connect 3s
  timeout client 3600s
  timeout server 3600s
  option forwardfor
  http-reuse always
frontend edge
  bind 127.0.0.1:${port} backlog 4096
  use_backend instances if { hdr_beg(host) -i ${HOST} }
backend instances
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  http-request set-header X-Request-Id %[uuid]
  server one 127.0.0.1:${upstreamPort} pool-max-conn 512
`,
    );
    return processes.startProxy('haproxy', ['-q', '-db', '-f', path]);
  },
  async caddy({ processes, directory, upstreamPort }, port) {
    const path = join(directory, 'Caddyfile');
    await writeFile(
      path,
      `{
  admin off
  auto_https off
  log {
    output discard
  }
}
http://${HOST}:${port} {
  bind 127.0.0.1
  reverse_proxy 127.0.0.1:${upstreamPort} {
    transport http {
      keepalive_idle_conns_per_host 512
    }
    header_up X-Request-Id {http.request.uuid}
  }
}
`,
    );
    const home = { HOME: directory, PATH: '/usr/bin:/bin', GOMAXPROCS: '1' };
    return processes.startProxy('caddy', ['run', '--config', path, '--adapter', 'caddyfile'], home);
  },
  async 'http-proxy'({ processes, upstreamPort }, port) {
    const script = new URL('http-proxy.ts', import.meta.url).pathname;
    // It calls what Node deprecates, and Node says so for each process.
    const switches = [...GATEWAY_SWITCHES, '--no-deprecation'];
    return processes.startProxy(process.execPath, [...switches, script, String(port), String(upstreamPort)]);
  },
};

export async function startNginx(
  start: (command: string, args: readonly string[]) => ChildProcess,
  directory: string,
  name: string,
  http: string,
): Promise<ChildProcess> {
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
  return start('nginx', ['-c', path, '-e', 'stderr']);
}
