import { route, startControlPlane, target } from '../../harness/gateway.ts';
import { answers } from '../measure.ts';
import { HOST } from '../peers.ts';
import { exited, pause, type Setting, startInstance, startOwnGateway } from './setting.ts';
import { type Sent, startSteadyLoad } from './steady-load.ts';

const INSTANCES = 3;
/** How long an instance takes, so that some requests are always with each. */
const ANSWER_MS = 20;
const AWAY_MS = 1000;
/** What the gateway sends before it has read that its connections to the dead one are closed; a busy machine lags so much. */
const NOTICE_MS = 50;

interface Death {
  readonly from: number;
  readonly until: number;
}

/** May this failure be: a method that must not be repeated, in flight when an instance died? */
function mayFail({ method, at, endedAt }: Sent, deaths: readonly Death[]): boolean {
  return method === 'POST' && deaths.some((death) => at <= death.until + NOTICE_MS && endedAt >= death.from);
}

/** Instances get `kill -9` in turn under load, half of it POST, and come back a second later. */
export async function surviveInstancesKilled(setting: Setting): Promise<boolean> {
  const { processes, options } = setting;
  const instances: Awaited<ReturnType<typeof startInstance>>[] = [];
  for (let index = 0; index < INSTANCES; index += 1) instances.push(await startInstance(processes));
  const control = await startControlPlane([route([target(instances.map(({ port }) => port))], HOST)]);
  const gateway = await startOwnGateway(setting, 'of-instances', control);
  const { port } = gateway;
  try {
    await answers(port);
    const { rate: ratePerSecond, seconds } = options;
    const load = startSteadyLoad({ port, ratePerSecond, path: `/slow/${ANSWER_MS}`, methods: ['GET', 'POST'] });
    const end = performance.now() + seconds * 1000;
    const deaths: Death[] = [];
    await pause(AWAY_MS);
    while (performance.now() < end) {
      const index = deaths.length % INSTANCES;
      const dying = instances[index];
      if (dying === undefined) break;
      const from = performance.now();
      dying.child.kill('SIGKILL');
      await exited(dying.child);
      deaths.push({ from, until: performance.now() });
      await pause(AWAY_MS);
      instances[index] = await startInstance(processes, dying.port);
      await pause(AWAY_MS);
    }
    const sent = await load.stop();
    const failed = sent.filter(({ status }) => status !== 200);
    const wrong = failed.filter((one) => !mayFail(one, deaths));
    const causes = [...new Set(failed.map(({ status, problem }) => `${status ?? 'no answer'} ${problem}`.trim()))].join(
      ', ',
    );
    options.print(
      `${deaths.length} instances killed at ${ratePerSecond} requests/s: ${sent.length - failed.length} of ${sent.length} answered, ` +
        `${failed.length - wrong.length} POSTs failed in flight${failed.length === 0 ? '' : ` (${causes})`}, ` +
        `${wrong.length} requests failed that must not, ${failed.filter(({ method }) => method === 'GET').length} of them GETs`,
    );
    return wrong.length === 0 && deaths.length > 0 && sent.length > 0;
  } finally {
    await gateway.stop();
    await control.close();
    for (const { child } of instances) child.kill('SIGTERM');
  }
}
