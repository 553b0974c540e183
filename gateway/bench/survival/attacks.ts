import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { cpuMicros, type Latency, measureLatency } from '../measure.ts';
import { pause, type Setting } from './setting.ts';

const run = promisify(execFile);

/** slowhttptest asks for the name that it connects to. */
export const ATTACKED_HOST = '127.0.0.1';
const ATTACKED_PATH = `/bytes/${16 * 1_048_576}`;

/** Slow heads, slow bodies, slow readers, as Debian's slowhttptest makes them. */
const ATTACKS: Readonly<Record<string, readonly string[]>> = {
  'slow heads': ['-H', '-i', '1'],
  'slow bodies': ['-B', '-i', '1', '-s', '8192'],
  'slow readers': ['-X', '-w', '10', '-y', '20', '-n', '1', '-z', '32', '-k', '3'],
};
const ALLOWED_RATIO = 1.5;

/** The attackers give way to everyone else for CPU: from another machine they would take none of this one's. */
export async function surviveAttacks({ proxy, directory, options }: Setting): Promise<boolean> {
  const { seconds, rate, attackers, print } = options;
  const measure = async (): Promise<Latency & { readonly cores: number }> => {
    const [before, begun] = [await cpuMicros(proxy.pid), performance.now()];
    const latency = await measureLatency(proxy, { directory, ratePerSecond: rate, seconds });
    const cores = ((await cpuMicros(proxy.pid)) - before) / ((performance.now() - begun) * 1000);
    return { ...latency, cores };
  };
  await measure();
  let held = true;
  for (const [name, flags] of Object.entries(ATTACKS)) {
    const calm = await measure();
    const size = ['-c', String(attackers), '-r', String(Math.ceil(attackers / 2)), '-l', String(seconds + 4)];
    const address = ['-u', `http://${ATTACKED_HOST}:${proxy.port}${ATTACKED_PATH}`];
    const attack = run('nice', ['-n', '19', 'slowhttptest', ...flags, ...size, ...address]);
    await pause(3000);
    const attacked = await measure();
    await attack;
    const ratio = attacked.p99Ms / calm.p99Ms;
    held &&= ratio <= ALLOWED_RATIO && attacked.requests === calm.requests;
    print(
      `${name}, ${attackers} connections: p99 ${attacked.p99Ms.toFixed(2)} ms, ` +
        `${calm.p99Ms.toFixed(2)} ms without, ratio ${ratio.toFixed(2)}; ` +
        `${attacked.requests} of ${calm.requests} requests answered; ` +
        `the gateway took ${percent(attacked.cores)} of a core, ${percent(calm.cores)} without`,
    );
  }
  return held;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
