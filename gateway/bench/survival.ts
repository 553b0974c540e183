import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { route, startControlPlane, target } from '../harness/gateway.ts';
import { startGatewayProcess } from './gateway-process.ts';
import { answers, freePorts, measureLatency } from './measure.ts';
import { HOST, type MeasuredProxy, Processes } from './peers.ts';

const run = promisify(execFile);
const MIB = 1_048_576;
const PAGE_BYTES = 4096;

export interface SurvivalOptions {
  readonly scenarios: readonly string[];
  /** Of each attack, and of the time without the control plane. */
  readonly seconds: number;
  /** Legitimate requests per second. */
  readonly rate: number;
  /** Connections of each attack. */
  readonly attackers: number;
  /** MiB that are streamed each way. */
  readonly mebibytes: number;
  readonly print: (line: string) => void;
}

interface Setting {
  readonly proxy: MeasuredProxy;
  readonly directory: string;
  readonly options: SurvivalOptions;
  /** Registry, orchestrator, identity, events, billing and Redis are gone from here on. */
  loseControl(): Promise<void>;
}

/** Each returns whether it held. */
const SCENARIOS: Readonly<Record<string, (setting: Setting) => Promise<boolean>>> = {
  attacks: surviveAttacks,
  streams: surviveStreams,
  absence: surviveAbsence,
};
export const SCENARIO_NAMES: readonly string[] = Object.keys(SCENARIOS);

/** A real gateway process, and what is done to it while it serves. The last scenario may leave it without its control plane. */
export async function survive(options: SurvivalOptions): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'skyrun-survival-'));
  const processes = new Processes();
  process.once('exit', () => processes.kill());
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
  const [redisPort = 0, port = 0] = await freePorts(2);
  const instance = createServer((incoming, response) => {
    const wanted = Number(/^\/bytes\/(\d+)$/.exec(incoming.url ?? '')?.[1] ?? 0);
    if (incoming.method === 'POST') {
      let received = 0;
      incoming.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      incoming.on('end', () => response.end(String(received)));
    } else if (wanted > 0) {
      const piece = Buffer.alloc(MIB, 7);
      let left = wanted / MIB;
      const write = () => {
        for (; left > 0; left -= 1) if (!response.write(piece)) break;
        if (left <= 0) response.end();
        else {
          left -= 1;
          response.once('drain', write);
        }
      };
      write();
    } else response.end('ok');
  });
  await new Promise<void>((resolve) => instance.listen(0, '127.0.0.1', resolve));
  const instancePort = (instance.address() as AddressInfo).port;
  const control = await startControlPlane(
    [HOST, ATTACKED_HOST].map((host) => route([target([instancePort], { timeoutMs: 0 })], host)),
  );
  const redis = processes.start('redis-server', ['--port', String(redisPort), '--save', '', '--dir', directory]);
  try {
    const gateway = startGatewayProcess(processes, { port, controlUrl: control.url, redisPort, directory });
    await answers(port);
    const setting: Setting = {
      proxy: { name: 'skyrun', port, pid: gateway.pid ?? 0 },
      directory,
      options,
      async loseControl() {
        redis.kill('SIGKILL');
        await control.close();
      },
    };
    let held = true;
    for (const name of SCENARIO_NAMES.filter((known) => options.scenarios.includes(known))) {
      held = ((await SCENARIOS[name]?.(setting)) ?? false) && held;
    }
    return held;
  } finally {
    await processes.end();
    instance.closeAllConnections();
    instance.close();
    await control.close().catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
  }
}

/** slowhttptest asks for the name that it connects to. */
const ATTACKED_HOST = '127.0.0.1';
const ATTACKED_PATH = `/bytes/${16 * MIB}`;

/** Slow heads, slow bodies, slow readers, as Debian's slowhttptest makes them. */
const ATTACKS: Readonly<Record<string, readonly string[]>> = {
  'slow heads': ['-H', '-i', '1'],
  'slow bodies': ['-B', '-i', '1', '-s', '8192'],
  'slow readers': ['-X', '-w', '10', '-y', '20', '-n', '1', '-z', '32', '-k', '3'],
};
const ALLOWED_RATIO = 1.5;

async function surviveAttacks({ proxy, directory, options }: Setting): Promise<boolean> {
  const { seconds, rate, attackers, print } = options;
  const load = { directory, ratePerSecond: rate, seconds };
  await measureLatency(proxy, load);
  let held = true;
  for (const [name, flags] of Object.entries(ATTACKS)) {
    const calm = await measureLatency(proxy, load);
    const size = ['-c', String(attackers), '-r', String(Math.ceil(attackers / 2)), '-l', String(seconds + 4)];
    const attack = run('slowhttptest', [
      ...flags,
      ...size,
      '-u',
      `http://${ATTACKED_HOST}:${proxy.port}${ATTACKED_PATH}`,
    ]);
    await new Promise((resolve) => setTimeout(resolve, 3000));
    const attacked = await measureLatency(proxy, load);
    await attack;
    const ratio = attacked.p99Ms / calm.p99Ms;
    held &&= ratio <= ALLOWED_RATIO && attacked.requests === calm.requests;
    print(
      `${name}, ${attackers} connections: p99 ${attacked.p99Ms.toFixed(2)} ms, ` +
        `${calm.p99Ms.toFixed(2)} ms without, ratio ${ratio.toFixed(2)}; ` +
        `${attacked.requests} of ${calm.requests} requests answered`,
    );
  }
  return held;
}

/**
 * Read buffers pile up until the collector takes them: measured 150 to 170 MiB while a body goes to the instance, for one
 * gigabyte as for three. A body that is kept would be gigabytes.
 */
const ALLOWED_GROWTH_MIB = 256;

async function surviveStreams({ proxy, options }: Setting): Promise<boolean> {
  const bytes = options.mebibytes * MIB;
  let held = true;
  for (const [name, pass] of [
    ['to the client', download],
    ['to the instance', upload],
  ] as const) {
    const before = await residentMiB(proxy.pid);
    let most = before;
    const watch = setInterval(() => {
      void residentMiB(proxy.pid).then((now) => {
        most = Math.max(most, now);
      });
    }, 200);
    const started = performance.now();
    const passed = await pass(proxy.port, bytes);
    clearInterval(watch);
    const rate = passed / MIB / ((performance.now() - started) / 1000);
    held &&= passed === bytes && most - before <= ALLOWED_GROWTH_MIB;
    options.print(
      `${options.mebibytes} MiB ${name}: ${passed === bytes ? 'whole' : `${passed} of ${bytes} bytes`}, ` +
        `${Math.round(rate)} MiB/s, memory ${before.toFixed(0)} MiB before, ${most.toFixed(0)} MiB at most`,
    );
  }
  return held;
}

function download(port: number, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    let received = 0;
    request({ host: '127.0.0.1', port, path: `/bytes/${bytes}`, headers: { host: HOST } }, (response) => {
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      response.on('end', () => resolve(received));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}

function upload(port: number, bytes: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const piece = Buffer.alloc(MIB, 7);
    const asked = request(
      { host: '127.0.0.1', port, method: 'POST', path: '/', headers: { host: HOST } },
      (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (chunk: string) => {
          text += chunk;
        });
        response.on('end', () => resolve(Number(text)));
      },
    );
    asked.on('error', reject);
    let left = bytes / MIB;
    const write = () => {
      while (left > 0) {
        left -= 1;
        if (!asked.write(piece)) {
          asked.once('drain', write);
          return;
        }
      }
      asked.end();
    };
    write();
  });
}

async function residentMiB(pid: number): Promise<number> {
  const statm = await readFile(`/proc/${pid}/statm`, 'utf8');
  return (Number(statm.split(' ')[1]) * PAGE_BYTES) / MIB;
}

/** The whole control plane and Redis are killed, and requests go on at the same rate. */
async function surviveAbsence({ proxy, options, loseControl }: Setting): Promise<boolean> {
  const { seconds, rate, print } = options;
  const clients = 50;
  const wanted = rate * seconds;
  const load = run('h2load', [
    '--h1',
    '-c',
    String(clients),
    '-n',
    String(wanted),
    `--rps=${rate / clients}`,
    `--connect-to=127.0.0.1:${proxy.port}`,
    `http://${HOST}:${proxy.port}/`,
  ]);
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await loseControl();
  const { stdout } = await load;
  const counted = /(\d+) succeeded, (\d+) failed, (\d+) errored/.exec(stdout);
  const good = Number(/status codes: (\d+) 2xx/.exec(stdout)?.[1] ?? 0);
  print(
    `${seconds} s at ${rate} requests/s without registry, orchestrator, identity, billing, events and Redis: ` +
      `${good} of ${wanted} answered with 2xx, ${Number(counted?.[2] ?? wanted)} failed, ${Number(counted?.[3] ?? wanted)} errored`,
  );
  return good === wanted;
}
