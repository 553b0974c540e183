import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { route, startControlPlane, target } from '../harness/gateway.ts';
import { startGatewayProcess } from './gateway-process.ts';
import { answers, freePorts } from './measure.ts';
import { HOST, Processes } from './peers.ts';
import { surviveAborts } from './survival/aborts.ts';
import { surviveAbsence } from './survival/absence.ts';
import { ATTACKED_HOST, surviveAttacks } from './survival/attacks.ts';
import { surviveGatewayKilled } from './survival/gateway-killed.ts';
import { surviveInstancesKilled } from './survival/instances-killed.ts';
import { surviveReload } from './survival/reload.ts';
import { type Scenario, type Setting, type SurvivalOptions, startInstance } from './survival/setting.ts';
import { surviveStreams } from './survival/streams.ts';
import { surviveUnruly } from './survival/unruly.ts';

/** In this order; the last leaves the setting without its control plane. */
const SCENARIOS: Readonly<Record<string, Scenario>> = {
  attacks: surviveAttacks,
  streams: surviveStreams,
  reload: surviveReload,
  'gateway-killed': surviveGatewayKilled,
  'instances-killed': surviveInstancesKilled,
  aborts: surviveAborts,
  unruly: surviveUnruly,
  absence: surviveAbsence,
};
export const SCENARIO_NAMES: readonly string[] = Object.keys(SCENARIOS);

const ATTACKED = {
  revisionId: 'rev_01890000-0000-7000-8000-000000000002',
  serviceId: 'svc_01890000-0000-7000-8000-000000000002',
};

/** Real gateway processes, and what is done to them while they serve. */
export async function survive(options: SurvivalOptions): Promise<boolean> {
  const directory = await mkdtemp(join(tmpdir(), 'skyrun-survival-'));
  const processes = new Processes();
  process.once('exit', () => processes.kill());
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(1));
  const [redisPort = 0, port = 0] = await freePorts(2);
  const [instance, attacked] = [await startInstance(processes), await startInstance(processes)];
  // What attackers take from their instance must not be missing at the one that legitimate requests are timed with.
  const control = await startControlPlane([
    route([target([instance.port], { timeoutMs: 0 })], HOST),
    {
      ...route([target([attacked.port], { timeoutMs: 0, revisionId: ATTACKED.revisionId })], ATTACKED_HOST),
      serviceId: ATTACKED.serviceId,
    },
  ]);
  const redis = processes.start('redis-server', ['--port', String(redisPort), '--save', '', '--dir', directory]);
  try {
    const gateway = startGatewayProcess(processes, { port, controlUrl: control.url, redisPort, directory });
    await answers(port);
    const proxy = { name: 'skyrun', port, pid: gateway.pid ?? 0 };
    const setting: Setting = {
      proxy,
      directory,
      redisPort,
      instancePort: instance.port,
      attackedPort: attacked.port,
      redis,
      control,
      processes,
      options,
    };
    let held = true;
    for (const name of SCENARIO_NAMES.filter((known) => options.scenarios.includes(known))) {
      held = ((await SCENARIOS[name]?.(setting)) ?? false) && held;
    }
    return held;
  } finally {
    await processes.end();
    await control.close().catch(() => undefined);
    await rm(directory, { recursive: true, force: true });
  }
}
