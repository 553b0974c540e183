import { join } from 'node:path';
import { createBus } from '@skyrun/bus';
import type { UsageRecorded } from '@skyrun/contracts';
import { silentLogger, systemClock } from '@skyrun/kit';
import { route, startControlPlane, target } from '../../harness/gateway.ts';
import { listSegments, readSegment } from '../../spool/segments.ts';
import { parseLine } from '../../spool/spool-line.ts';
import { startGatewayProcess } from '../gateway-process.ts';
import { answers, freePorts } from '../measure.ts';
import { HOST } from '../peers.ts';
import { exited, pause, type Setting, startInstance } from './setting.ts';
import { sharedBy } from './shared-port.ts';
import { type Sent, startSteadyLoad } from './steady-load.ts';

const ANSWER_MS = 20;
/** Redis stands still for so long before the kill, so that there is something in the spool. */
const STILL_MS = 2500;
/** The open window, and its way to the disk. */
const UNWRITTEN_MS = 1100;
const SETTLE_MS = 20_000;

/** Usage as whoever bills it gets it: several deliveries of one key count once. */
class Received {
  readonly byKey = new Map<string, UsageRecorded>();
  lost = 0;
  deliveries = 0;
  /** Keys that came with different figures. */
  readonly contradicted = new Set<string>();

  take(usage: UsageRecorded): void {
    this.deliveries += 1;
    const known = this.byKey.get(usage.key);
    if (known !== undefined && JSON.stringify(known) !== JSON.stringify(usage)) this.contradicted.add(usage.key);
    this.byKey.set(usage.key, usage);
  }

  get requests(): number {
    return [...this.byKey.values()].reduce((sum, { requests }) => sum + requests, 0);
  }
}

/** Whether a request may fail because of a gateway that ended by `exitedAt`: its connection stood by then. */
function wasWithTheDead({ connectedAt }: Sent, exitedAt: number): boolean {
  return connectedAt !== null && connectedAt <= exitedAt;
}

/** What lies in the spool of a gateway. */
async function spooled(directory: string, id: string): Promise<UsageRecorded[]> {
  const spool = join(directory, 'gateway', id, 'spool');
  const lines = await Promise.all((await listSegments(spool)).map((segment) => readSegment(spool, segment)));
  return lines.flat().flatMap((text) => {
    const line = parseLine(text);
    return line?.kind === 'event' && line.event.type === 'skyrun.usage.recorded.v1' ? [line.event.data] : [];
  });
}

/** One of two gateways on a port gets `kill -9` under load, while Redis stands still and both write to their spools. */
export async function surviveGatewayKilled(setting: Setting): Promise<boolean> {
  const { directory, redisPort, redis, processes, options } = setting;
  const instance = await startInstance(processes);
  const control = await startControlPlane([route([target([instance.port])], HOST)]);
  const [port = 0] = await freePorts(1);
  const start = (id: string) =>
    startGatewayProcess(processes, { id, port, controlUrl: control.url, redisPort, directory });
  const url = `redis://127.0.0.1:${redisPort}`;
  const bus = await createBus({ kind: 'redis', url, clock: systemClock, logger: silentLogger });
  const received = new Received();
  const ours = (text: string) => /^(victim|survivor)(\/|$)/.test(text);
  const subscription = await bus.subscribe({
    group: 'survival',
    types: ['skyrun.usage.*'],
    handler: async (event) => {
      if (event.type === 'skyrun.usage.recorded.v1' && ours(event.data.key)) received.take(event.data);
      if (event.type === 'skyrun.usage.lost.v1' && ours(event.data.gateway)) received.lost += 1;
    },
  });
  try {
    const victim = start('victim');
    await answers(port);
    const survivor = start('survivor');
    await sharedBy(port, survivor.pid ?? 0);
    const { rate: ratePerSecond, seconds } = options;
    const load = startSteadyLoad({ port, ratePerSecond, path: `/slow/${ANSWER_MS}`, methods: ['GET'] });
    await pause((seconds * 1000) / 2);
    redis.kill('SIGSTOP');
    await pause(STILL_MS);
    const killedAt = performance.now();
    victim.kill('SIGKILL');
    await exited(victim);
    const exitedAt = performance.now();
    const left = await spooled(directory, 'victim');
    await pause((seconds * 1000) / 2);
    redis.kill('SIGCONT');
    const sent = await load.stop();
    const again = start('victim');
    await sharedBy(port, again.pid ?? 0);
    for (const gateway of [again, survivor]) {
      gateway.kill('SIGTERM');
      await exited(gateway);
    }
    const answered = sent.filter(({ status }) => status === 200);
    const failed = sent.filter(({ status }) => status !== 200);
    const wrong = failed.filter((one) => !wasWithTheDead(one, exitedAt));
    const atRisk = answered.filter(({ endedAt }) => endedAt >= killedAt - UNWRITTEN_MS && endedAt <= exitedAt).length;
    const replayed = () => left.filter(({ key }) => received.byKey.has(key)).length;
    const limit = performance.now() + SETTLE_MS;
    const complete = () => replayed() === left.length && received.requests >= answered.length - atRisk;
    while (!complete() && performance.now() < limit) await pause(100);
    // What would come twice comes now.
    await pause(500);
    // Beside the load: one request each time that somebody looked whether the port serves, and those cut short.
    const most = answered.length + failed.length + LOOKS;
    const missing = answered.length + LOOKS - received.requests;
    const exact =
      replayed() === left.length &&
      left.every((usage) => JSON.stringify(received.byKey.get(usage.key)) === JSON.stringify(usage)) &&
      received.contradicted.size === 0 &&
      received.requests <= most &&
      missing <= atRisk &&
      (missing <= 0 || received.lost === 1);
    options.print(
      `one of two gateways killed at ${ratePerSecond} requests/s: ${answered.length} of ${sent.length} answered, ` +
        `${failed.length} failed with the dead one, ${wrong.length} otherwise; its spool held ${left.length} windows, ` +
        `${replayed()} replayed ${exact ? 'exactly' : 'WRONGLY'}, ${received.deliveries - received.byKey.size} came twice and count once, ` +
        `${received.contradicted.size} contradicted; ${Math.max(missing, 0)} requests of its last second not recorded, ` +
        `told by ${received.lost} usage.lost`,
    );
    return wrong.length === 0 && answered.length > 0 && left.length > 0 && exact;
  } finally {
    redis.kill('SIGCONT');
    await subscription.close();
    await bus.close();
    await control.close();
    instance.child.kill('SIGTERM');
  }
}

/** `answers` once for each start of a gateway. */
const LOOKS = 3;
