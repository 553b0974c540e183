import { startAbortInstance } from '../../harness/abort-instance.ts';
import { abortWays } from '../../harness/aborts.ts';
import { route, startControlPlane, target } from '../../harness/gateway.ts';
import { answers } from '../measure.ts';
import { HOST } from '../peers.ts';
import { type Setting, startInstance, startOwnGateway } from './setting.ts';
import { startSteadyLoad } from './steady-load.ts';

const HANGING_HOST = 'hanging.demo.localhost';
const HANGING = {
  revisionId: 'rev_01890000-0000-7000-8000-000000000003',
  serviceId: 'svc_01890000-0000-7000-8000-000000000003',
};
const WITHIN_MS = 100;
const TIMES = 41;

/** Exchanges are broken off from either side beside the load, and the other side is timed. */
export async function surviveAborts(setting: Setting): Promise<boolean> {
  const { processes, options } = setting;
  const instance = await startInstance(processes);
  const hanging = await startAbortInstance();
  const control = await startControlPlane([
    route([target([instance.port])], HOST),
    {
      ...route([target([hanging.port], { timeoutMs: 0, revisionId: HANGING.revisionId })], HANGING_HOST),
      serviceId: HANGING.serviceId,
    },
  ]);
  const gateway = await startOwnGateway(setting, 'of-aborts', control);
  const { port } = gateway;
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
    await gateway.stop();
    await control.close();
    await hanging.close();
    instance.child.kill('SIGTERM');
  }
}
