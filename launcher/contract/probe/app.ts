// What looks at a container from inside, for `./skyrun contract`: it does what it is asked and tells what it saw. It
// judges nothing. In the image it is one CommonJS script; see `workload/sample/script.ts`.
import { spawn, spawnSync } from 'node:child_process';
import { resolve4 } from 'node:dns/promises';
import {
  chownSync,
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { connect } from 'node:net';
import { hostname } from 'node:os';
import { argv, cwd, env, exit, getgid, getuid, setuid, stdin } from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

/** What requests and responses of HTTP/1.1 and HTTP/2 have in common. */
interface Request {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly httpVersion: string;
  readonly headers: object;
}
interface Response {
  writeHead(status: number, headers: Record<string, string>): unknown;
  write(text: string): boolean;
  end(text?: string): unknown;
  once(event: 'close', listener: () => void): unknown;
}

const environment = env;
const eaten: Buffer[] = [];
let stdinEnded = false;
let sick = false;
let inFlight = 0;
let terminated = false;

stdin.on('end', () => {
  stdinEnded = true;
});
stdin.resume();

/** `ok`, or the code of the error. */
function attempt(action: () => unknown): string {
  try {
    action();
    return 'ok';
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error);
  }
}

const read = (path: string): string | null => (existsSync(path) ? readFileSync(path, 'utf8').trim() : null);
const firstOf = (...paths: string[]): string | null => paths.map(read).find((text) => text !== null) ?? null;

function device(path: string): { kind: string; read: string; write: string } {
  const kind = attempt(() => {
    if (!statSync(path).isCharacterDevice()) throw new Error('not a character device');
  });
  const opened = (flags: string, use: (file: number) => void) =>
    attempt(() => {
      const file = openSync(path, flags);
      try {
        use(file);
      } finally {
        closeSync(file);
      }
    });
  const bytes = Buffer.alloc(16, 1);
  return {
    kind,
    read: opened('r', (file) => {
      const count = readSync(file, bytes, 0, 16, null);
      throw Object.assign(new Error('read'), {
        code: `${count} bytes${count > 0 && bytes.every((byte) => byte === 0) ? ', all 0' : ''}`,
      });
    }),
    write: opened('w', (file) => writeSync(file, 'x')),
  };
}

function facts(): object {
  const status = read('/proc/self/status') ?? '';
  const field = (name: string) => new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(status)?.[1];
  const mounts = (read('/proc/self/mountinfo') ?? '').split('\n').map((line) => {
    const [place = '', rest = ''] = line.split(' - ');
    const columns = place.split(' ');
    return { path: columns[4], options: columns[5], type: rest.split(' ')[0], super: rest.split(' ')[2] };
  });
  const devices = ['null', 'zero', 'full', 'random', 'urandom'].map((name) => [name, device(`/dev/${name}`)]);
  const gain = spawnSync('/probe/id', ['-u'], { encoding: 'utf8' });
  const file = '/tmp/probe-file';
  return {
    environment,
    arguments: argv.slice(2),
    directory: cwd(),
    user: getuid?.(),
    group: getgid?.(),
    hostname: hostname(),
    stdinEnded,
    processId: read('/proc/self/stat')?.split(' ')[0],
    status: {
      effective: field('CapEff'),
      bounding: field('CapBnd'),
      ambient: field('CapAmb'),
      noNewPrivileges: field('NoNewPrivs'),
      seccomp: field('Seccomp'),
    },
    setuidProgram: gain.error === undefined ? gain.stdout.trim() : gain.error.message,
    files: {
      tmp: attempt(() => writeFileSync(file, 'x')),
      root: attempt(() => writeFileSync('/probe-file', 'x')),
      shm: attempt(() => writeFileSync('/dev/shm/probe-file', 'x')),
      devLog: existsSync('/dev/log'),
      hosts: read('/etc/hosts'),
      resolver: read('/etc/resolv.conf'),
      hostnameFile: read('/etc/hostname'),
    },
    refused: {
      sysctl: attempt(() => writeFileSync('/proc/sys/kernel/hostname', 'probe')),
      sysrq: attempt(() => writeFileSync('/proc/sysrq-trigger', 'h')),
      kernelMemory: attempt(() => {
        const core = openSync('/proc/kcore', 'r');
        const count = readSync(core, Buffer.alloc(16), 0, 16, null);
        closeSync(core);
        if (count === 0) throw Object.assign(new Error('empty'), { code: 'empty' });
      }),
      cgroup: attempt(() => writeFileSync(`${cgroupFolder('memory')}/${cgroupFile('memory')}`, '-1')),
      chown: attempt(() => chownSync(file, 12_345, 12_345)),
      setuid: attempt(() => setuid?.(getuid?.() === 0 ? 12_345 : 0)),
      device: attempt(() => {
        const made = spawnSync('/probe/mknod', ['/tmp/disk', 'b', '8', '0'], { encoding: 'utf8' });
        if (made.status !== 0) throw new Error(made.stderr.trim().slice(0, 80));
      }),
      mount: attempt(() => {
        const made = spawnSync('/probe/mount', ['-t', 'tmpfs', 'tmpfs', '/tmp'], { encoding: 'utf8' });
        if (made.status !== 0) throw new Error(made.stderr.trim().slice(0, 80));
      }),
    },
    devices: Object.fromEntries(devices),
    terminal: {
      present: attempt(() => statSync('/dev/tty').isCharacterDevice()),
      isTty: stdin.isTTY === true,
    },
    deviceNames: readdirSync('/dev').toSorted(),
    mounts,
    limits: {
      version: existsSync('/sys/fs/cgroup/cgroup.controllers') ? 2 : 1,
      memory: firstOf('/sys/fs/cgroup/memory/memory.limit_in_bytes', '/sys/fs/cgroup/memory.max'),
      cpuQuota: firstOf('/sys/fs/cgroup/cpu/cpu.cfs_quota_us', '/sys/fs/cgroup/cpu.max'),
      cpuPeriod: firstOf('/sys/fs/cgroup/cpu/cpu.cfs_period_us', '/sys/fs/cgroup/cpu.max'),
      processes: firstOf('/sys/fs/cgroup/pids/pids.max', '/sys/fs/cgroup/pids.max'),
    },
    processes: readdirSync('/proc').filter((name) => /^\d+$/.test(name)).length,
    route: read('/proc/net/route'),
  };
}

const cgroupFolder = (controller: string) =>
  existsSync('/sys/fs/cgroup/cgroup.controllers') ? '/sys/fs/cgroup' : `/sys/fs/cgroup/${controller}`;
const cgroupFile = (controller: string) =>
  existsSync('/sys/fs/cgroup/cgroup.controllers') ? `${controller}.max` : `${controller}.limit_in_bytes`;

/** `connected`, `no answer`, or the code of the refusal. */
function reach(host: string, port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2_000 });
    const end = (said: string) => {
      socket.destroy();
      resolve(said);
    };
    socket.once('connect', () => end('connected'));
    socket.once('timeout', () => end('no answer'));
    socket.once('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message));
  });
}

/** Starts programs that sleep until the kernel lets no more; ends them. */
async function multiply(most: number): Promise<{ started: number; refused: string | null }> {
  const children = [];
  let refused: string | null = null;
  for (let count = 0; count < most && refused === null; count += 1) {
    const child = spawn('/probe/sleep', ['60'], { stdio: 'ignore' });
    child.on('error', (error: NodeJS.ErrnoException) => {
      refused = error.code ?? error.message;
    });
    if (child.pid === undefined) await sleep(5);
    else children.push(child);
  }
  for (const child of children) child.kill('SIGKILL');
  return { started: children.length, refused };
}

/** How much of a core it gets: CPU milliseconds per second of wall clock, of a loop that wants all of it. */
async function burn(ms: number): Promise<object> {
  const spent = () => process.cpuUsage().user / 1000;
  const before = { cpu: spent(), wall: performance.now() };
  while (performance.now() - before.wall < ms) {
    const until = performance.now() + 20;
    while (performance.now() < until) Math.sqrt(until);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { share: (spent() - before.cpu) / (performance.now() - before.wall) };
}

function sendJson(response: Response, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function answer(request: Request, response: Response): Promise<void> {
  const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://probe');
  const number = (name: string) => Number(query.get(name) ?? 0);
  if (pathname === '/facts') return sendJson(response, facts());
  if (pathname === '/echo') {
    const { method, url, headers, httpVersion } = request;
    return sendJson(response, { method, url, headers, httpVersion });
  }
  if (pathname === '/connect')
    return sendJson(response, { result: await reach(query.get('host') ?? '', number('port')) });
  if (pathname === '/resolve') {
    const found = await resolve4(query.get('name') ?? hostname()).catch((error: NodeJS.ErrnoException) => error.code);
    return sendJson(response, { result: String(found) });
  }
  if (pathname === '/multiply') return sendJson(response, await multiply(number('most')));
  if (pathname === '/burn') return sendJson(response, await burn(number('ms')));
  if (pathname === '/eat') {
    for (let mib = 0; mib < number('mib'); mib += 8) eaten.push(Buffer.alloc(8_388_608, 1));
    return sendJson(response, { eaten: eaten.length * 8 });
  }
  if (pathname === '/exit') exit(number('code'));
  if (pathname === '/sicken') {
    sick = true;
    return sendJson(response, {});
  }
  if (pathname === '/sleep') {
    await sleep(number('ms'));
    return sendJson(response, { terminated });
  }
  if (pathname === '/drip') {
    let gone = false;
    response.once('close', () => {
      gone = true;
    });
    response.writeHead(200, { 'content-type': 'text/plain' });
    for (let sent = 0; sent < number('times') && !gone; sent += 1) {
      response.write(`${sent}\n`);
      await sleep(number('ms'));
    }
    response.end();
    return;
  }
  response.writeHead(pathname === '/live' && sick ? 500 : 200, { 'content-type': 'text/plain' });
  response.end('ok\n');
}

function handle(request: Request, response: Response): void {
  inFlight += 1;
  response.once('close', () => {
    inFlight -= 1;
    if (terminated) leave();
  });
  answer(request, response).catch((error: Error) => {
    console.error(error.message);
    response.end();
  });
}

/** HTTP/2 by prior knowledge where the port's name says h2c; its requests have the same shape. */
const server = environment['PROBE_HTTP2'] === 'yes' ? createHttp2Server() : createServer();
server.on('request', handle);

function leave(): void {
  if (inFlight === 0 && environment['PROBE_IGNORES_TERM'] !== 'yes') exit(0);
}

process.on('SIGTERM', () => {
  if (terminated) return;
  terminated = true;
  const at = performance.now();
  console.log(`probe: SIGTERM with ${inFlight} in flight`);
  setInterval(() => console.log(`probe: alive ${Math.round(performance.now() - at)} ms after SIGTERM`), 100);
  leave();
});

const code = environment['PROBE_EXITS_WITH'];
if (code !== undefined) {
  console.error('probe: this is the last line before the end');
  exit(Number(code));
}
for (let mib = 0; mib < Number(environment['PROBE_EATS_MIB'] ?? 0); mib += 8) eaten.push(Buffer.alloc(8_388_608, 1));
if (environment['PROBE_LISTENS'] !== 'no') server.listen(Number(environment['PORT']));
else setInterval(() => undefined, 1000);
console.log('probe: a line on standard output');
console.error('probe: a line on standard error');
