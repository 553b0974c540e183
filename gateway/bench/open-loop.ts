import { poisson, runKeptLoad } from '@skyrun/workload';

/** What the process that runs this is asked; it answers each with a `KeptReport`. */
export interface OpenLoopOrder {
  readonly port: number;
  readonly host: string;
  readonly path: string;
  readonly ratePerSecond: number;
  readonly connections: number;
  /** Of the requests that count; a second more comes before. */
  readonly seconds: number;
  readonly seed: number;
}

const WARM_MS = 1000;

// Lives as long as the benchmark: a process that has just begun measures its own compiler.
process.on('message', async (order: OpenLoopOrder) => {
  const { port, host, path, ratePerSecond, connections, seconds, seed } = order;
  const report = await runKeptLoad({
    connect: { host: '127.0.0.1', port },
    hostHeader: host,
    path,
    arrivals: poisson({ requestsPerSecond: ratePerSecond, durationMs: WARM_MS + seconds * 1000, seed }),
    countFromMs: WARM_MS,
    connections,
    timeoutMs: 10_000,
  });
  process.send?.(report);
});
