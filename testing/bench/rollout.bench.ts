import { OPERATIONS, type Service } from '@skyrun/contracts';
import { type Client, systemClock as clock } from '@skyrun/kit';
import { type LoadReport, runLoad, steady } from '@skyrun/workload';
import { startStack } from '../e2e/stack.ts';

/**
 * Requests that fail while a service is changed under load, on a whole Skyrun with real containers: a deploy, a rollout in
 * steps, a rollback to a revision that is warm and to one that is cold, and scaling down. The peer is the same load without
 * any change, in the same run.
 *
 *   ./skyrun bench rollout [requests per second, 500] [seconds of each phase, 15]
 */

const rate = Number(process.argv[2] ?? 500);
const seconds = Number(process.argv[3] ?? 15);
const params = { project: 'demo', service: 'sample' };

interface Phase {
  readonly name: string;
  change(api: Client): Promise<unknown>;
}

const current = (api: Client) => api.call(OPERATIONS.getService, { params });

async function deploy(api: Client, rollout?: object): Promise<Service> {
  const { spec } = await current(api);
  const env = [{ name: 'DEPLOYED', value: String(clock.now()) }];
  const traffic = [{ latestRevision: true, percent: 100 }];
  const { rollout: _before, ...rest } = spec;
  return await api.call(OPERATIONS.replaceService, {
    params,
    body: { spec: { ...rest, traffic, template: { ...spec.template, env }, ...rollout } },
  });
}

/** Without instances of it, as long after it lost its traffic. */
async function cool(api: Client, revisionName: string): Promise<void> {
  for (;;) {
    const { items } = await api.call(OPERATIONS.listInstances, { params });
    if (!items.some((instance) => instance.revisionName === revisionName)) return;
    await clock.sleep(1000);
  }
}

const PHASES: readonly Phase[] = [
  { name: 'no change', change: async () => undefined },
  { name: 'deploy, all at once', change: (api) => deploy(api) },
  {
    name: 'rollout in steps',
    change: (api) =>
      deploy(api, {
        rollout: {
          steps: [
            { percent: 10, seconds: 2 },
            { percent: 50, seconds: 2 },
          ],
        },
      }),
  },
  { name: 'rollback, warm', change: (api) => api.call(OPERATIONS.rollBack, { params, body: {} }) },
  {
    name: 'back and forth, cold',
    change: (api) => api.call(OPERATIONS.rollBack, { params, body: { toRevision: 'sample-00001' } }),
  },
  {
    name: 'scale from 3 down',
    async change(api) {
      const { spec } = await current(api);
      const { scaling } = spec.template;
      const more = { ...spec.template, scaling: { ...scaling, minScale: 3 } };
      const traffic = [{ latestRevision: true, percent: 100 }];
      const { rollout: _before, ...rest } = spec;
      await api.call(OPERATIONS.replaceService, { params, body: { spec: { ...rest, traffic, template: more } } });
      await clock.sleep((seconds * 1000) / 2);
      await api.call(OPERATIONS.replaceService, { params, body: { spec: { ...rest, traffic } } });
    },
  },
];

const stack = await startStack();
let failures = 0;
try {
  const api = await stack.api();
  const hostHeader = `sample.demo.localhost:${stack.port}`;
  await stack.get('sample.demo.localhost', '/healthz');
  let peer: LoadReport | null = null;
  process.stdout.write(`${rate} requests/s for ${seconds} s each\n`);
  for (const { name, change } of PHASES) {
    if (name.endsWith('cold')) await cool(api, 'sample-00001');
    const load = runLoad({
      connect: { host: '127.0.0.1', port: stack.port },
      hostHeader,
      path: '/healthz',
      method: 'GET',
      arrivals: steady({ requestsPerSecond: rate, durationMs: seconds * 1000 }),
      timeoutMs: 30_000,
      maxInFlight: 5000,
      clock,
    });
    await clock.sleep(2000);
    await change(api);
    const report = await load;
    peer ??= report;
    const bad = report.failed + report.notSent;
    failures += bad;
    const { p50, p99 } = report.latencyMs;
    const ratio =
      p99 === null || peer.latencyMs.p99 === null
        ? ''
        : `, ${(p99 / peer.latencyMs.p99).toFixed(1)} × p99 of no change`;
    const { status } = await current(api);
    const serving = status.traffic.map(({ revisionName, percent }) => `${percent} % ${revisionName}`).join(', ');
    process.stdout.write(
      `${name.padEnd(22)} ${report.sent} sent, ${bad} failed  p50 ${p50} ms  p99 ${p99} ms${ratio}  → ${serving}\n`,
    );
    if (bad > 0) process.stdout.write(`  ${JSON.stringify({ statuses: report.statuses, errors: report.errors })}\n`);
  }
} finally {
  await stack.end();
}
process.exitCode = failures === 0 ? 0 : 1;
