import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { type Latency, measureBursts } from '../latency.ts';
import { answers, cpuMicros, freePorts, median } from '../measure.ts';
import { HOST, type MeasuredProxy, startNginx } from '../peers.ts';
import { pause, type Setting, type SurvivalOptions } from './setting.ts';
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
/** Between two measures: the attackers' connections end meanwhile. */
const LEAVE_MS = 1000;

/** One round of one proxy: without attackers, and with them. */
interface Round {
  readonly calm: Measured;
  readonly attacked: Measured;
  /** While the attackers came. */
  readonly coming: Latency;
  /** Connections of attackers that stood. */
  readonly there: number;
}

interface Measured extends Latency {
  readonly cores: number;
}

/**
 * Legitimate p99 with attackers by p99 without, of the gateway and of nginx: what nginx suffers too is the attack's and the
 * attacked instance's share of this machine's cores. A thousand slow bodies come to one burst each second, so the p99 of some
 * seconds is that of a few bursts, and neighbours on the machine make it twice as large or half; hence rounds with and without
 * attackers that alternate, and turn the order of the proxies, and the median of the rounds' ratios. The attackers run only where
 * nobody else wants a core (SCHED_IDLE): from another machine they would take none of this one's.
 */
export async function surviveAttacks(setting: Setting): Promise<boolean> {
  const { proxy, options } = setting;
  const ours = proxy;
  const peer = await startPeer(setting);
  const unsent = (await readFile('/proc/sys/net/ipv4/tcp_notsent_lowat', 'utf8')).trim();
  options.print(`net.ipv4.tcp_notsent_lowat is ${unsent}`);
  // Each is warm before it counts.
  for (const one of [ours, peer]) await measure(one, setting, secondsOfRound(options));
  let held = true;
  for (const name of options.attacks) {
    const flags = ATTACKS[name];
    if (flags === undefined) continue;
    const [oursMeasured, peerMeasured]: [Round[], Round[]] = [[], []];
    for (let round = 0; round < options.rounds; round += 1) {
      const turn = async (one: MeasuredProxy, rounds: Round[]) => rounds.push(await attack(one, flags, setting));
      if (round % 2 === 0) await turn(ours, oursMeasured);
      await turn(peer, peerMeasured);
      if (round % 2 === 1) await turn(ours, oursMeasured);
    }
    options.print(line(name, ours, oursMeasured, options.attackers));
    options.print(line(name, peer, peerMeasured, options.attackers));
    const whole = oursMeasured.every(({ calm, attacked }) => attacked.requests === calm.requests);
    const bound = Math.max(ALLOWED_RATIO, median(ratios(peerMeasured)));
    held &&= whole && median(ratios(oursMeasured)) <= bound;
  }
  return held;
}

/** `seconds` are those of an attack in all its rounds. */
function secondsOfRound({ seconds, rounds }: SurvivalOptions): number {
  return Math.max(1, Math.round(seconds / rounds));
}

/** Debian's nginx in front of the same instances. It keeps nothing on disk, as the gateway does not. */
async function startPeer({ processes, directory, instancePort, attackedPort }: Setting): Promise<MeasuredProxy> {
  const [port = 0] = await freePorts(1);
  const server = (name: string, upstream: string, backlog = '') => `server {
listen 127.0.0.1:${port}${backlog}; server_name ${name};
location / { proxy_pass http://${upstream}; proxy_http_version 1.1; proxy_set_header Connection "";
proxy_set_header Host $http_host; proxy_max_temp_file_size 0; } }`;
  const child = await startNginx(
    (command, args) => processes.start(command, args),
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

async function measure(proxy: MeasuredProxy, { directory, options }: Setting, seconds: number): Promise<Measured> {
  const [before, begun] = [await cpuMicros(proxy.pid), performance.now()];
  const latency = await measureBursts(proxy, { directory, ratePerSecond: options.rate, seconds });
  const cores = ((await cpuMicros(proxy.pid)) - before) / ((performance.now() - begun) * 1000);
  return { ...latency, cores };
}

async function attack(proxy: MeasuredProxy, flags: readonly string[], setting: Setting): Promise<Round> {
  const { attackers } = setting.options;
  const seconds = secondsOfRound(setting.options);
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
  await pause(LEAVE_MS);
  return { calm, attacked, coming, there };
}

function ratios(rounds: readonly Round[]): number[] {
  return rounds.map(({ calm, attacked }) => attacked.p99Ms / calm.p99Ms);
}

function line(name: string, proxy: MeasuredProxy, rounds: readonly Round[], attackers: number): string {
  const middle = (of: (round: Round) => number) => median(rounds.map(of));
  const ms = (of: (round: Round) => number) => `${middle(of).toFixed(2)} ms`;
  const all = ratios(rounds);
  const sum = (of: (round: Round) => number) => rounds.reduce((total, round) => total + of(round), 0);
  return (
    `slow ${name}, ${Math.min(...rounds.map(({ there }) => there))} of ${attackers} connections, ${proxy.name}: ` +
    `p99 ${ms(({ attacked }) => attacked.p99Ms)}, ${ms(({ calm }) => calm.p99Ms)} without, ` +
    `ratio ${median(all).toFixed(2)}, the middle of ${all.map((ratio) => ratio.toFixed(2)).join(' ')}; ` +
    `p50 ${ms(({ attacked }) => attacked.p50Ms)}, ${ms(({ calm }) => calm.p50Ms)} without; ` +
    `p99 ${ms(({ coming }) => coming.p99Ms)} while they come; ` +
    `${sum(({ attacked }) => attacked.requests)} of ${sum(({ calm }) => calm.requests)} requests answered; ` +
    `it took ${percent(middle(({ attacked }) => attacked.cores))} of a core, ${percent(middle(({ calm }) => calm.cores))} without`
  );
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`;
}
