import { execFile } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { KeptReport } from '@skyrun/workload';
import type { OpenLoopOrder } from './open-loop.ts';
import { HOST, type Processes } from './peers.ts';

const run = promisify(execFile);
export const LATENCY_CONNECTIONS = 50;

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
}

/** Who is measured. */
export interface Addressee {
  readonly name: string;
  /** Asked for; HOST where absent. */
  readonly host?: string;
  readonly port: number;
}

interface FixedRate {
  readonly ratePerSecond: number;
  readonly seconds: number;
}

/**
 * Latency in bursts, by h2load: each of its connections sends at its own fixed interval, and all began in the same moment, so
 * at 2,000/s they send 50 requests at once each 25 ms. What comes out is how long such a burst takes.
 */
export async function measureBursts(
  proxy: Addressee,
  { directory, ratePerSecond, seconds }: FixedRate & { readonly directory: string },
): Promise<Latency> {
  const log = join(directory, 'latency.tsv');
  await rm(log, { force: true });
  await run('h2load', [
    '--h1',
    '-c',
    String(LATENCY_CONNECTIONS),
    '-n',
    String(ratePerSecond * seconds),
    `--rps=${ratePerSecond / LATENCY_CONNECTIONS}`,
    `--log-file=${log}`,
    // By -H it would send a second Host, which is refused.
    `--connect-to=127.0.0.1:${proxy.port}`,
    `http://${proxy.host ?? HOST}:${proxy.port}/small`,
  ]);
  // Start in µs of Unix time, status, duration in µs.
  const lines = (await readFile(log, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => line.split('\t'));
  const failed = lines.find(([, status]) => status !== '200');
  if (failed !== undefined) throw new Error(`${proxy.name} answered ${failed[1]} instead of 200`);
  const durations = lines.map(([, , micros]) => Number(micros)).sort((a, b) => a - b);
  const at = (part: number) =>
    (durations[Math.min(durations.length - 1, Math.floor(durations.length * part))] ?? 0) / 1000;
  return { p50Ms: at(0.5), p99Ms: at(0.99), requests: durations.length };
}

export interface OpenLoop {
  /** Rejects where an answer was not a 200. An equal seed sends at equal times. */
  measure(
    proxy: Addressee,
    load: FixedRate & { readonly seed: number },
  ): Promise<Latency & { readonly lateMs: number }>;
}

/**
 * Latency at a fixed rate, as of very many clients who know nothing of each other: requests at the times of a Poisson process,
 * each on the connection that was used longest ago, measured from when it was to be sent.
 */
export function startOpenLoop(processes: Processes): OpenLoop {
  const child = processes.fork(new URL('open-loop.ts', import.meta.url).pathname, ['--max-semi-space-size=32']);
  return {
    async measure(proxy, load) {
      const order: OpenLoopOrder = {
        ...load,
        port: proxy.port,
        host: proxy.host ?? HOST,
        path: '/small',
        connections: LATENCY_CONNECTIONS,
      };
      const report = await new Promise<KeptReport>((resolve, reject) => {
        const gone = () => reject(new Error('the load generator ended'));
        child.once('exit', gone);
        child.once('message', (message) => {
          child.off('exit', gone);
          // It runs open-loop.ts, which sends nothing else.
          resolve(message as KeptReport);
        });
        child.send(order);
      });
      const other = Object.entries(report.outcomes).find(([outcome]) => outcome !== '200');
      if (other !== undefined)
        throw new Error(`${proxy.name}: ${other[1]} of ${report.requests} ended with ${other[0]}`);
      const { latencyMs, lateMs, requests } = report;
      return {
        p50Ms: latencyMs.p50,
        p99Ms: latencyMs.p99,
        lateMs: lateMs.p99,
        requests,
      };
    },
  };
}
