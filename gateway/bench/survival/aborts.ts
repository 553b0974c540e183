import { startAbortInstance } from '../../harness/abort-instance.ts';
import { abortWays } from '../../harness/aborts.ts';
import { route, startControlPlane, target } from '../../harness/gateway.ts';
import { startGatewayProcess } from '../gateway-process.ts';
import { answers, freePorts } from '../measure.ts';
import { HOST } from '../peers.ts';
import { exited, type Setting, startInstance } from './setting.ts';
import { startSteadyLoad } from './steady-load.ts';

const HANGING_HOST = 'hanging.demo.localhost';
const HANGING = {
  revisionId: 'rev_01890000-0000-7000-8000-000000000003',
  serviceId: 'svc_01890000-0000-7000-8000-000000000003',
};
const WITHIN_MS = 100;
const TIMES = 41;

/** Exchanges are broken off from either side beside the load, and the other side is timed. */
export async function surviveAborts({ directory, redisPort, processes, options }: Setting): Promise<boolean> {
  const instance = await startInstance(processes);
  const hanging = await startAbortInstance();
  const control = await startControlPlane([
    route([target([instance.port])], HOST),
    {
      ...route([target([hanging.port], { timeoutMs: 0, revisionId: HANGING.revisionId })], HANGING_HOST),
      serviceId: HANGING.serviceId,
    },
  ]);
  const [port = 0] = await freePorts(1);
  const gateway = startGatewayProcess(processes, {
    id: 'of-aborts',
    port,
    controlUrl: control.url,
    redisPort,
    directory,
  });
  let held = true;
  try {
    await answers(port);
    const load = startSteadyLoad({ port, ratePerSecond: options.rate, path: '/', methods: ['GET'] });
    for (const { name, measure } of abortWays(port, HANGING_HOST, hanging)) {
      const took: number[] = [];
      for (let time = 0; time < TIMES; time += 1) took.push(await measure());
      took.sort((a, b) => a - b);
      const [median = Number.NaN, longest = Number.NaN] = [took[TIMES >> 1], took.at(-1)];
      held &&= longest < WITHIN_MS;
      options.print(`${name}: ${median.toFixed(1)} ms median, ${longest.toFixed(1)} ms at most of ${TIMES}`);
    }
    const sent = await load.stop();
    const failed = sent.filter(({ status }) => status !== 200).length;
    options.print(`beside it ${sent.length} requests at ${options.rate}/s, ${failed} failed`);
    return held && failed === 0;
  } finally {
    gateway.kill('SIGTERM');
    await exited(gateway);
    await control.close();
    await hanging.close();
    instance.child.kill('SIGTERM');
  }
}
