import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { OPERATIONS, type Rollout, type Service } from '@skyrun/contracts';
import { type Client, systemClock as clock } from '@skyrun/kit';
import { type LoadReport, type LoggedRequest, runLoad, steady } from '@skyrun/workload';
import { buildSampleArchive } from '@skyrun/workload/sample';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from './stack.ts';

/** New revisions under load, on real containers: what a good one costs nobody, and what a bad one costs whom. */
const RATE = 60;
const LONGEST_MS = 240_000;
const PATIENCE_MS = 100_000;
const params = { project: 'demo', service: 'changing' };
const host = 'changing.demo.localhost';

/** Answers well, but for what its environment says: every so manyth answer is a 500, or each one is late. */
const APP = `
const { createServer } = require('node:http');
const { env } = process;
let count = 0;
const server = createServer((request, response) => {
  count += 1;
  const fails = Number(env.FAILS_EVERY || 0);
  if (fails > 0 && count % fails === 0) response.statusCode = 500;
  setTimeout(() => response.end(env.K_REVISION), Number(env.LATE_MS || 0));
});
server.keepAliveTimeout = 620000;
server.listen(Number(env.PORT));
process.on('SIGTERM', () => { server.close(() => process.exit(0)); server.closeIdleConnections(); });
`;

let stack: Stack;
let api: Client;

beforeAll(async () => {
  stack = await startStack({ environment: { SKYRUN_REVISION_LINGER_SECONDS: '3' } });
  api = await stack.api();
  const archive = await buildSampleArchive({
    destination: join(stack.dataDir, '..', 'changing.tar'),
    format: 'docker',
    name: 'changing',
    script: APP,
  });
  await api.call(OPERATIONS.uploadImage, {
    params: { project: 'demo' },
    query: { name: 'changing' },
    stream: createReadStream(archive.path),
  });
  const template = { image: 'changing', resources: { memoryMib: 128 }, scaling: { minScale: 1 } };
  await api.call(OPERATIONS.createService, {
    params: { project: 'demo' },
    body: { name: 'changing', spec: { template } },
  });
  await serving('changing-00001');
});
afterAll(() => stack?.end());

const current = (): Promise<Service> => api.call(OPERATIONS.getService, { params });

async function until<Value>(what: string, look: () => Promise<Value | null | undefined | false>): Promise<Value> {
  const end = clock.monotonic() + PATIENCE_MS;
  for (;;) {
    const value = await look();
    if (value) return value;
    if (clock.monotonic() > end) throw new Error(`not within ${PATIENCE_MS / 1000} s: ${what}`);
    await clock.sleep(200);
  }
}

const isAll = ({ status }: Service, name: string) =>
  status.traffic.length === 1 && status.traffic[0]?.revisionName === name && status.traffic[0].percent === 100;

/** All of the traffic is this revision's, and gateways have heard of it. */
async function serving(name: string): Promise<void> {
  await until(`all traffic to ${name}`, async () => isAll(await current(), name));
  await until(`${name} answers`, async () => (await stack.get(host)).body === name);
}

type Spec = Service['spec'];

async function change(fields: {
  env?: Record<string, string>;
  rollout?: Spec['rollout'];
  minScale?: number;
}): Promise<string> {
  const { spec } = await current();
  const { rollout: _before, ...rest } = spec;
  const env = Object.entries({ DEPLOYED: String(clock.now()), ...fields.env }).map(([name, value]) => ({
    name,
    value,
  }));
  const scaling = { ...spec.template.scaling, ...(fields.minScale === undefined ? {} : { minScale: fields.minScale }) };
  const changed = await api.call(OPERATIONS.replaceService, {
    params,
    body: {
      spec: {
        ...rest,
        traffic: [{ latestRevision: true, percent: 100 }],
        template: { ...spec.template, env, scaling },
        ...(fields.rollout ? { rollout: fields.rollout } : {}),
      },
    },
  });
  return String(changed.status.latestCreatedRevision);
}

interface Load {
  /** What has ended so far. */
  readonly log: readonly LoggedRequest[];
  stop(): Promise<LoadReport>;
}

function load(): Load {
  const stop = new AbortController();
  const log: LoggedRequest[] = [];
  const running = runLoad({
    connect: { host: '127.0.0.1', port: stack.port },
    hostHeader: `${host}:${stack.port}`,
    path: '/',
    method: 'GET',
    arrivals: steady({ requestsPerSecond: RATE, durationMs: LONGEST_MS }),
    timeoutMs: 60_000,
    maxInFlight: 5_000,
    clock,
    signal: stop.signal,
    onRequest: (request) => log.push(request),
  });
  return {
    log,
    stop() {
      stop.abort();
      return running;
    },
  };
}

test(`at ${RATE} requests/s, no request fails by a deploy, a rollout in steps, a rollback and scaling down`, async () => {
  const under = load();
  await serving(await change({}));
  const second = await change({
    rollout: {
      steps: [
        { percent: 10, seconds: 2 },
        { percent: 50, seconds: 2 },
      ],
    },
  });
  await serving(second);
  await api.call(OPERATIONS.rollBack, { params, body: {} });
  await serving('changing-00002');
  const wide = await change({ minScale: 3 });
  await serving(wide);
  const ready = async () => (await current()).status.instances.ready;
  await until('three instances', async () => (await ready()) >= 3);
  await serving(await change({ minScale: 1 }));
  await until('one instance again', async () => (await ready()) === 1);
  const report = await under.stop();
  expect(report).toMatchObject({ failed: 0, notSent: 0, errors: {} });
  expect(report.sent).toBeGreaterThan(RATE * 10);
}, 400_000);

test.each([
  { what: 'errors', env: { FAILS_EVERY: '2' }, says: /answers failed, of the old revision’s .* points worse/ },
  { what: 'latency', env: { LATE_MS: '2000' }, says: /its p95 is \d+ ms, the old revision’s/ },
])(
  'a canary goes back by itself on $what, and nobody of the old revision’s notices afterwards',
  async ({ env, says }) => {
    await serving(await change({}));
    const before = String((await current()).status.latestReadyRevision);
    const under = load();
    const bad = await change({
      env,
      rollout: { steps: [{ percent: 20, seconds: 120 }], canary: { ...JUDGED } },
    });
    const ended = await until<Rollout>('the rollout is over', async () => {
      const { rollout } = (await current()).status;
      return rollout && rollout.toRevision === bad && rollout.state !== 'running' && rollout;
    });
    expect(ended).toMatchObject({ state: 'rolled-back', fromRevision: before, toRevision: bad, percent: 0 });
    expect(ended.sentence).toMatch(says);
    await serving(before);
    // What was sent before the gateway had heard may still be the bad one's.
    await clock.sleep(1_500);
    const from = clock.now();
    await until('two hundred more requests', async () => afterwards(under.log, from).length >= 200);
    await under.stop();
    const rest = afterwards(under.log, from);
    expect(rest.filter(({ status }) => status !== 200)).toEqual([]);
    const answers = await Promise.all(Array.from({ length: 20 }, () => stack.get(host)));
    expect(new Set(answers.map(({ body }) => body))).toEqual(new Set([before]));
    expect(isAll(await current(), before)).toBe(true);
  },
  400_000,
);

/** Few requests are enough: the difference is great. */
const JUDGED = {
  maxErrorIncrease: 2,
  maxLatencyRatio: 3,
  minLatencyIncreaseMs: 500,
  minRequests: 30,
  tooFewRequests: 'wait' as const,
};

const afterwards = (log: readonly LoggedRequest[], from: number) => log.filter(({ sentAt }) => sentAt >= from);
