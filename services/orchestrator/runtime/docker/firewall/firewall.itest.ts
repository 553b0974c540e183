import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { systemClock as clock, newId, silentLogger } from '@skyrun/kit';
import { dockerSocket } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadTestImage, type TestImage } from '../../../testing/image.ts';
import { instanceSpec } from '../../../testing/instance-spec.ts';
import type { Runtime } from '../../runtime.ts';
import { namespacesRefused } from '../../swarm/private-swarm.ts';
import { createDockerRuntime } from '../docker-runtime.ts';
import { removeNetworkRules } from './firewall.ts';
import { bridgePattern, chainsOf } from './rules.ts';

const run = promisify(execFile);
const rules = async (command = 'iptables') => (await run(command, ['-w', '10', '-S'])).stdout;
const installation = `t${newId('instance', clock).slice(-8)}`;
/**
 * Eight addresses of the range for benchmarks of networks (RFC 2544), others in every process: nobody is behind them but
 * what is made here, and a run that was killed, or goes on beside this one, has others.
 */
const BLOCK = (process.pid % 16_384) * 8;
const ofBlock = (last: number) => `198.${18 + (BLOCK >> 16)}.${(BLOCK >> 8) & 255}.${(BLOCK & 255) + last}`;
const OUTSIDE = ofBlock(2);
const DENIED = ofBlock(3);
const namespace = `skyout${process.pid}`;

const mayFilter =
  process.getuid?.() === 0 &&
  (await rules().then(
    () => true,
    () => false,
  ));
const refused = mayFilter ? await namespacesRefused() : 'only root may set rules of the packet filter';
if (refused !== null) console.warn(`network rules are not tested: ${refused}`);

describe.skipIf(refused !== null)('from inside a container', () => {
  let runtime: Runtime;
  let image: TestImage;
  const listener = createServer((socket) => socket.destroy());
  let port = 0;
  let outside: { end(): Promise<void> };

  function runtimeWith(options: { installation: string; networkRules?: 'off' }): Runtime {
    return createDockerRuntime({
      socketPath,
      networkPool: '10.217.0.0/16',
      networkPrefix: 26,
      egress: true,
      pidsLimit: 256,
      deniedRanges: [`${DENIED}/32`, '169.254.0.0/16'],
      clock,
      logger: silentLogger,
      ...options,
    });
  }
  let socketPath = '';

  beforeAll(async () => {
    socketPath = await dockerSocket();
    runtime = runtimeWith({ installation });
    image = await loadTestImage(runtime);
    listener.listen(0, '0.0.0.0');
    await once(listener, 'listening');
    const address = listener.address();
    port = typeof address === 'object' && address ? address.port : 0;
    outside = await openOutside();
  });

  afterAll(async () => {
    for (const { identity } of await runtime.list()) {
      await runtime.stop(identity.instanceId, { graceMs: 0, remove: true });
    }
    await runtime.tidy(new Set());
    listener.close();
    await outside.end();
    await image.remove();
  });

  const connects = async (from: string, host: string, to: number) =>
    (await fetch(`http://${from}:8080/connect?host=${host}&port=${to}`)).text();
  const machine = () =>
    Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .flatMap(({ family, address }) => (family === 'IPv4' ? [address] : []))
      .filter((address) => !address.startsWith('127.'));

  async function started(on: Runtime, project: string): Promise<{ id: string; address: string }> {
    const spec = instanceSpec({ project, image: image.reference, terminationGraceSeconds: 1 });
    const { instance } = await on.start(spec);
    const address = instance.address ?? '';
    const end = clock.monotonic() + 60_000;
    for (;;) {
      // The machine itself reaches its containers, rules or not: it probes them and sends them requests.
      const up = await fetch(`http://${address}:8080/`).then(
        () => true,
        () => false,
      );
      if (up) return { id: spec.instanceId, address };
      if (clock.monotonic() > end) throw new Error('the container does not answer');
      await clock.sleep(50);
    }
  }

  test('no server of the machine answers, by any address, nor metadata, nor another project; its own and the world do', async () => {
    const one = await started(runtime, 'one');
    const friend = await started(runtime, 'one');
    const other = await started(runtime, 'two');
    expect(runtime.networkRules?.()).toBe('ok');

    const gateway = one.address.replace(/\d+$/, (last) => String(Math.floor(Number(last) / 64) * 64 + 1));
    expect(machine()).toContain(gateway);
    for (const host of machine())
      expect([host, await connects(one.address, host, port)]).toEqual([host, 'ECONNREFUSED']);
    for (const host of ['169.254.169.254', DENIED]) {
      expect([host, await connects(one.address, host, 80)]).toEqual([host, 'ECONNREFUSED']);
    }
    expect(await connects(one.address, other.address, 8080)).not.toBe('connected');
    expect(await connects(other.address, one.address, 8080)).not.toBe('connected');
    expect(await connects(one.address, friend.address, 8080)).toBe('connected');
    expect(await connects(one.address, OUTSIDE, 80)).toBe('connected');
  });

  test('without the rules a server of the machine would answer: it is they that refuse', async () => {
    const open = runtimeWith({ installation: `${installation}o`, networkRules: 'off' });
    const { id, address } = await started(open, 'one');
    const gateway = address.replace(/\d+$/, (last) => String(Math.floor(Number(last) / 64) * 64 + 1));
    expect(await connects(address, gateway, port)).toBe('connected');
    expect(await rules()).not.toContain(chainsOf(`${installation}o`).forward);
    await open.stop(id, { graceMs: 0, remove: true });
    await open.tidy(new Set());
  });

  test('a port that the machine sends on elsewhere is refused, although the same place may be reached directly', async () => {
    const published = createServer();
    published.listen(0, '127.0.0.1');
    await once(published, 'listening');
    const reserved = published.address();
    const at = typeof reserved === 'object' && reserved ? reserved.port : 0;
    // As an engine publishes a container's port: what comes for the machine is sent to another address.
    const detour = ['PREROUTING', '-p', 'tcp', '--dport', String(at), '-m', 'addrtype', '--dst-type', 'LOCAL'];
    const change = (verb: '-A' | '-D') =>
      run('iptables', ['-w', '10', '-t', 'nat', verb, ...detour, '-j', 'DNAT', '--to-destination', `${OUTSIDE}:80`]);
    const open = runtimeWith({ installation: `${installation}d`, networkRules: 'off' });
    await change('-A');
    try {
      const kept = await started(runtime, 'one');
      const free = await started(open, 'one');
      const gatewayOf = (address: string) =>
        address.replace(/\d+$/, (last) => String(Math.floor(Number(last) / 64) * 64 + 1));
      expect(await connects(kept.address, OUTSIDE, 80)).toBe('connected');
      expect(await connects(free.address, gatewayOf(free.address), at)).toBe('connected');
      expect(await connects(kept.address, gatewayOf(kept.address), at)).toBe('ECONNREFUSED');
    } finally {
      await change('-D');
      published.close();
      for (const { identity } of await open.list()) await open.stop(identity.instanceId, { graceMs: 0, remove: true });
      await open.tidy(new Set());
    }
  });

  test('rules are set once however often, come back when flushed, and go with the last network', async () => {
    const again = runtimeWith({ installation });
    const { id } = await started(again, 'three');
    const ours = (listing: string) => listing.split('\n').filter((line) => line.includes(bridgePattern(installation)));
    expect(ours(await rules())).toHaveLength(2);
    expect(ours(await rules('ip6tables'))).toHaveLength(2);

    const theirs = async () => (await rules()).split('\n').filter((line) => !line.includes('SKYRUN-'));
    const before = await theirs();
    await removeNetworkRules(installation);
    expect(await rules()).not.toContain(chainsOf(installation).forward);
    // As a new leader does.
    const next = runtimeWith({ installation });
    await next.tidy(new Set(['one', 'two', 'three']));
    expect(ours(await rules())).toHaveLength(2);

    await again.stop(id, { graceMs: 0, remove: true });
    for (const { identity } of await runtime.list()) {
      await runtime.stop(identity.instanceId, { graceMs: 0, remove: true });
    }
    await next.tidy(new Set());
    for (const command of ['iptables', 'ip6tables']) {
      expect(await rules(command)).not.toContain(chainsOf(installation).forward);
    }
    // Others come and go at the same time, so only what was there for good is compared.
    const after = await theirs();
    for (const line of before.filter((each) => /^-(P|N) |DOCKER-USER -j RETURN$/.test(each)))
      expect(after).toContain(line);
    await removeNetworkRules(installation);
  });
});

/** A machine outside of this one: a network namespace at the end of a cable, which answers on port 80 at both addresses. */
async function openOutside(): Promise<{ end(): Promise<void> }> {
  const cable = `sko${process.pid % 1_000_000}`;
  const inside = (...args: string[]) => run('nsenter', [`--net=/run/netns/${namespace}`, ...args]);
  await run('ip', ['netns', 'add', namespace]);
  await run('ip', ['link', 'add', cable, 'type', 'veth', 'peer', 'name', `${cable}e`, 'netns', namespace]);
  await run('ip', ['address', 'add', `${ofBlock(1)}/29`, 'dev', cable]);
  await run('ip', ['link', 'set', cable, 'up']);
  for (const address of [OUTSIDE, DENIED]) await inside('ip', 'address', 'add', `${address}/29`, 'dev', `${cable}e`);
  await inside('ip', 'link', 'set', `${cable}e`, 'up');
  const program = "require('net').createServer((s)=>s.destroy()).listen(80,'0.0.0.0',()=>console.log('listens'))";
  const child = spawn('nsenter', [`--net=/run/netns/${namespace}`, process.execPath, '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  return {
    async end() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      await run('ip', ['link', 'delete', cable]);
      await run('ip', ['netns', 'delete', namespace]);
    },
  };
}
