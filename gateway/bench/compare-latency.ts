import { type Addressee, type Latency, measureBursts, startOpenLoop } from './latency.ts';
import { median } from './measure.ts';
import type { Processes } from './peers.ts';
import { heading, row } from './table.ts';

const RATE = 2000;
/** Rounds that do not count: V8 compiles by how often what is called, and at this rate that takes longer than under full load. */
const WARM_ROUNDS = 3;

/**
 * p50 and p99 of each proxy at a fixed rate, and Skyrun's p99 by each peer's, the median over rounds that alternate: once with
 * requests that come by chance, once in bursts. `upstream`, the instance without a proxy, is the floor.
 */
export async function compareLatency(
  proxies: readonly Addressee[],
  options: {
    readonly rounds: number;
    readonly seconds: number;
    readonly directory: string;
    readonly processes: Processes;
    readonly upstream: Addressee;
    readonly print: (line: string) => void;
  },
): Promise<Record<string, Record<string, number>>> {
  const { rounds, seconds, directory, print } = options;
  const all = [...proxies, options.upstream];
  const openLoop = startOpenLoop(options.processes);
  const [spread, bursts] = [new Map<string, Latency[]>(), new Map<string, Latency[]>()];
  const late: number[] = [];
  const keep = (of: Map<string, Latency[]>, name: string, latency: Latency) =>
    of.set(name, [...(of.get(name) ?? []), latency]);
  for (let round = -WARM_ROUNDS; round < rounds; round += 1) {
    for (const one of round % 2 === 0 ? all : [...all].reverse()) {
      // In one round all get their requests at the same times.
      const measured = await openLoop.measure(one, { ratePerSecond: RATE, seconds, seed: round + WARM_ROUNDS + 1 });
      const burst = await measureBursts(one, { directory, ratePerSecond: RATE, seconds });
      if (round < 0) continue;
      keep(spread, one.name, measured);
      keep(bursts, one.name, burst);
      late.push(measured.lateMs);
    }
  }
  const names = all.map(({ name }) => name);
  print(heading(names));
  const ratios: Record<string, Record<string, number>> = {};
  for (const [title, measures] of [
    [`at ${RATE}/s`, spread],
    [`in bursts of 50`, bursts],
  ] as const) {
    const p99 = (name: string) => (measures.get(name) ?? []).map(({ p99Ms }) => p99Ms);
    const ours = p99('skyrun');
    const ofPeer = (name: string) => median(p99(name).map((peers, index) => (ours[index] ?? Number.NaN) / peers));
    const figure = (values: readonly number[]) => `${median(values).toFixed(2)} ms`;
    const cells = names.map((name) => ({
      figure: figure(p99(name)),
      ratio: name === 'skyrun' || name === options.upstream.name ? null : ofPeer(name),
    }));
    print(row(`p99 ${title}`, cells, measures === spread ? `the generator's own p99 ${figure(late)}` : ''));
    const p50 = (name: string) => figure((measures.get(name) ?? []).map(({ p50Ms }) => p50Ms));
    print(
      row(
        `p50 ${title}`,
        names.map((name) => ({ figure: p50(name), ratio: null })),
      ),
    );
    ratios[`p99 ${title}`] = Object.fromEntries(
      proxies
        .filter(({ name }) => name !== 'skyrun')
        .map(({ name }) => [name, Math.round(ofPeer(name) * 100) / 100] as const),
    );
  }
  return ratios;
}
