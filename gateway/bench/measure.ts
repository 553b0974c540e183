import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { promisify } from 'node:util';
import { HOST, type MeasuredProxy } from './peers.ts';

const run = promisify(execFile);
/** Linux counts CPU time in these, in µs. */
const TICK_MICROS = 10_000;
const PAGE_BYTES = 4096;
/** Every proxy is given the time to close its connections to the instance and to let go of what it holds no more. */
const IDLE_MS = 20_000;

export interface Measure {
  readonly cpuMicrosPerRequest: number;
  readonly requestsPerSecond: number;
  readonly errors: number;
}

/** As many requests as go through in `seconds`, by wrk. */
export async function measureLoad(
  proxy: MeasuredProxy,
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
    `Host: ${proxy.host ?? HOST}`,
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

/** Resident MiB of a proxy while `count` connections that have each carried a request lie idle. */
export async function measureIdle(proxy: MeasuredProxy, count: number): Promise<number> {
  const sockets: Socket[] = [];
  try {
    for (let start = 0; start < count; start += 100) {
      const batch = Array.from({ length: Math.min(100, count - start) }, () => openIdle(proxy.port));
      sockets.push(...(await Promise.all(batch)));
    }
    await new Promise((resolve) => setTimeout(resolve, IDLE_MS));
    return await residentMebibytes(proxy.pid);
  } finally {
    for (const socket of sockets) socket.destroy();
  }
}

export async function residentMebibytes(pid: number): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8');
  return (Number(statm.split(' ')[1]) * PAGE_BYTES) / 1_048_576;
}

/** A connection that has carried a request; rejects where the answer is not 200. */
function openIdle(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(`GET /small HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`));
    socket.once('data', (answer: Buffer) => {
      if (answer.toString('latin1', 0, 12) === 'HTTP/1.1 200') resolve(socket);
      else {
        socket.destroy();
        reject(new Error(`port ${port} answered ${answer.toString('latin1', 0, 12)}`));
      }
    });
    socket.once('error', reject);
  });
}

/** User and system time of a process and all its threads, in µs. */
export async function cpuMicros(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const parts = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(parts[11]) + Number(parts[12])) * TICK_MICROS;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] ?? Number.NaN)
    : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

export async function freePorts(count: number): Promise<number[]> {
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

/** Resolves when a proxy answers with 200: it runs, and knows its routes. */
export async function answers(port: number): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt += 1) {
    try {
      (await openIdle(port)).destroy();
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  throw new Error(`nothing answers on port ${port}`);
}

/** Resolves when something takes connections on the port. */
export async function reachable(port: number): Promise<void> {
  for (let attempt = 0; attempt < 1200; attempt += 1) {
    const there = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => {
        socket.destroy();
        resolve(true);
      });
      socket.once('error', () => resolve(false));
    });
    if (there) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`nothing listens on port ${port}`);
}
