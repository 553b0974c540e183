import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { type Latency, measureBursts } from '../latency.ts';
import { answers, cpuMicros, freePorts } from '../measure.ts';
import { HOST, type MeasuredProxy, startNginx } from '../peers.ts';
import { pause, type Setting } from './setting.ts';
import { connectionsTo } from './shared-port.ts';

/** slowhttptest asks for the name that it connects to. */
export const ATTACKED_HOST = '127.0.0.1';
const ATTACKED_PATH = `/bytes/${16 * 1_048_576}`;

/** Slow heads, slow bodies, slow readers, as Debian's slowhttptest makes them. */
const ATTACKS: Readonly<Record<string, readonly string[]>> = {
  heads: ['-H', '-i', '1'],
  bodies: ['-B', '-i', '1', '-s', '8192'],
  readers: ['-X', '-w', '10', '-y', '20', '-n', '1', '-z', '32', '-k', '3'],
};
export const ATTACK_NAMES: readonly string[] = Object.keys(ATTACKS);
const ALLOWED_RATIO = 1.5;
/** How long the attackers' coming is measured, and how much longer they may take, in seconds. */
const COMING_SECONDS = 4;
const COME_WITHIN_SECONDS = 15;

/** One proxy with its attackers and without. */
interface Attacked {
  readonly ratio: number;
  readonly whole: boolean;
  readonly line: string;
}

/**
 * Legitimate p99 with attackers by p99 without, of the gateway and of nginx one after the other: what nginx suffers too is
 * the attack's and the attacked instance's share of this machine's cores. The attackers run only where nobody else
 * wants a core (SCHED_IDLE): from another machine they would take none of this one's.
 */
export async function surviveAttacks(setting: Setting): Promise<boolean> {
  const { proxy, options } = setting;
  const proxies = [proxy, await startPeer(setting)];
  const unsent = (await readFile('/proc/sys/net/ipv4/tcp_notsent_lowat', 'utf8')).trim();
  options.print(`net.ipv4.tcp_notsent_lowat is ${unsent}`);
  // Each is warm before it counts.
  for (const one of proxies) await measure(one, setting, setting.options.seconds);
  let held = true;
  for (const name of options.attacks) {
    const flags = ATTACKS[name];
    if (flags === undefined) continue;
    const results: Attacked[] = [];
    for (const one of proxies) results.push(await attack(one, name, flags, setting));
    const [ours, peer] = results;
    if (ours === undefined || peer === undefined) return false;
    for (const { line } of results) options.print(line);
    held &&= ours.whole && ours.ratio <= Math.max(ALLOWED_RATIO, peer.ratio);
  }
  return held;
}

/** Debian's nginx in front of the same instances. It keeps nothing on disk, as the gateway does not. */
async function startPeer({ processes, directory, instancePort, attackedPort }: Setting): Promise<MeasuredProxy> {
  const [port = 0] = await freePorts(1);
  const server = (name: string, upstream: string, backlog = '') => `server {
listen 127.0.0.1:${port}${backlog}; server_name ${name};
location / { proxy_pass http://${upstream}; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $http_host; proxy_max_temp_file_size 0; } }`;
  const child = await startNginx(
    processes,
    directory,
    'attacked',
    `upstream instance { server 127.0.0.1:${instancePort}; keepalive 512; keepalive_requests 100000000; }
upstream attacked { server 127.0.0.1:${attackedPort}; keepalive 512; }
${server(HOST, 'instance', ' backlog=4096')}
${server(ATTACKED_HOST, 'attacked')}`,
  );
  await answers(port);
  return { name: 'nginx', port, pid: child.pid ?? 0 };
}

async function measure(
  proxy: MeasuredProxy,
  { directory, options }: Setting,
  seconds: number,
): Promise<Latency & { readonly cores: number }> {
  const [before, begun] = [await cpuMicros(proxy.pid), performance.now()];
  const latency = await measureBursts(proxy, { directory, ratePerSecond: options.rate, seconds });
  const cores = ((await cpuMicros(proxy.pid)) - before) / ((performance.now() - begun) * 1000);
  return { ...latency, cores };
}

async function attack(
  proxy: MeasuredProxy,
  name: string,
  flags: readonly string[],
  setting: Setting,
): Promise<Attacked> {
  const { seconds, attackers } = setting.options;
  const calm = await measure(proxy, setting, seconds);
  const lasts = seconds + COMING_SECONDS + COME_WITHIN_SECONDS;
  const size = ['-c', String(attackers), '-r', String(Math.ceil(attackers / 2)), '-l', String(lasts)];
  const address = ['-u', `http://${ATTACKED_HOST}:${proxy.port}${ATTACKED_PATH}`];
  const running = execFile('chrt', ['--idle', '0', 'slowhttptest', ...flags, ...size, ...address]);
  const ended = new Promise((resolve) => running.once('exit', resolve));
  const coming = await measure(proxy, setting, COMING_SECONDS);
  const limit = performance.now() + COME_WITHIN_SECONDS * 1000;
  while ((await connectionsTo(proxy.port)) < attackers * 0.95 && performance.now() < limit) await pause(100);
  const there = await connectionsTo(proxy.port);
  const attacked = await measure(proxy, setting, seconds);
  running.kill('SIGTERM');
  await ended;
  const ratio = attacked.p99Ms / calm.p99Ms;
  return {
    ratio,
    whole: attacked.requests === calm.requests,
    line:
      `slow ${name}, ${there} of ${attackers} connections, ${proxy.name}: p99 ${attacked.p99Ms.toFixed(2)} ms, ` +
      `${calm.p99Ms.toFixed(2)} ms without, ratio ${ratio.toFixed(2)}; ${coming.p99Ms.toFixed(2)} ms while they come; ` +
      `${attacked.requests} of ${calm.requests} requests answered; ` +
      `it took ${percent(attacked.cores)} of a core, ${percent(calm.cores)} without`,
  };
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
