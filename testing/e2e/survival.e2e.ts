import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { type IncomingMessage, request } from 'node:http';
import { join } from 'node:path';
import { OPERATIONS } from '@skyrun/contracts';
import { type Client, systemClock } from '@skyrun/kit';
import { DOCKER_SOCKET, dockerVersion } from '@skyrun/launcher/infra';
import { runLoad, steady } from '@skyrun/workload';
import { buildSampleArchive } from '@skyrun/workload/sample';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run, type Stack, startStack } from './stack.ts';

/** And without a paused instance that stays for a while. */
const TO_ZERO_SOON = {
  stableWindowSeconds: 6,
  scaleToZeroGraceSeconds: 2,
  idle: { pausedSeconds: 0, stoppedSeconds: 0 },
};

/** The command line's journey, and what is left of it when processes are killed. The tests follow one another. */
let stack: Stack;
let api: Client;
const params = { project: 'demo', service: 'web' };
const host = 'web.demo.localhost';

beforeAll(async () => {
  stack = await startStack({ environment: { SKYRUN_REVISION_LINGER_SECONDS: '2' } });
  api = await stack.api();
});
afterAll(() => stack?.end());

async function skyrun(...args: string[]) {
  const outcome = await stack.skyrun(args);
  expect(outcome.code, `${args.join(' ')}: ${outcome.stderr}`).toBe(0);
  return outcome.stdout;
}

test('the journey by command line', async () => {
  const archive = join(stack.dataDir, '..', 'web.tar');
  await buildSampleArchive({ destination: archive, format: 'oci', name: 'web' });
  const login = await stack.skyrun(
    ['login', '--url', stack.url, '--email', stack.email, '--password-stdin', '--project', 'demo'],
    stack.password,
  );
  expect(login.code, login.stderr).toBe(0);
  expect(
    await skyrun('deploy', archive, '--name', 'web', '--max', '5', '--concurrency', '200', '--env', 'A=b=c'),
  ).toContain(`http://web.demo.localhost:${stack.port}`);
  expect(await skyrun('services')).toMatch(/web\s+True/);
  expect((await stack.get(host, '/echo')).body).toContain('b=c');
  expect(
    JSON.parse(await skyrun('load', 'web', '--rate', '20', '--duration', '3s', '--path', '/healthz', '--json')),
  ).toMatchObject({
    sent: 60,
    ok: 60,
    verdict: 'pass',
  });
  expect(await skyrun('logs', 'web')).not.toBe('');
  expect(await skyrun('events', '--type', 'skyrun.instance.*')).toContain('skyrun.instance.ready.v1');
  expect(await skyrun('why', 'web')).toContain('→');
  expect(await skyrun('cost')).toContain('USD');
});

test('a Knative file and an image of the local engine deploy too, and what is deployed can be deleted', async () => {
  const file = join(stack.dataDir, '..', 'service.yaml');
  await writeFile(
    file,
    [
      'apiVersion: serving.knative.dev/v1',
      'kind: Service',
      'metadata: { name: knative, namespace: demo }',
      'spec:',
      '  template:',
      '    metadata: { annotations: { autoscaling.knative.dev/max-scale: "2" } }',
      '    spec:',
      '      containerConcurrency: 5',
      '      containers:',
      '        - image: web',
      '          env: [{ name: FROM, value: a-file }]',
      '',
    ].join('\n'),
  );
  await skyrun('deploy', '-f', file);
  expect((await stack.get('knative.demo.localhost', '/echo')).body).toContain('a-file');

  const { items } = await api.call(OPERATIONS.listRevisions, { params });
  await skyrun('deploy', String(items[0]?.imageReference), '--name', 'local');
  expect((await stack.get('local.demo.localhost', '/healthz')).status).toBe(200);

  for (const name of ['knative', 'local']) await skyrun('delete', name, '--yes');
  await expect.poll(async () => (await stack.get('local.demo.localhost')).status).toBe(404);
  expect(await skyrun('services', '--json')).not.toContain('knative');
});

test('wrong arguments, a missing service and nobody signed in have exit codes of their own', async () => {
  expect((await stack.skyrun(['deploy'])).code).toBe(2);
  expect((await stack.skyrun(['logs', 'nothing'])).code).toBe(4);
  const stranger = await run(join(import.meta.dirname, '../../skyrun'), ['services'], '', {
    ...process.env,
    SKYRUN_SESSION_FILE: join(stack.dataDir, 'nobody.json'),
  });
  expect(stranger.code).toBe(3);
});

test('a hundred requests at zero instances all succeed, after exactly one first start', async () => {
  await api.call(OPERATIONS.replaceService, { params, body: { spec: await shortWindows() } });
  await untilInstances(0);
  const before = await api.call(OPERATIONS.listInstances, { params, query: { all: 'true', limit: 500 } });
  const answers = await Promise.all(Array.from({ length: 100 }, () => stack.get(host, '/healthz')));
  expect(answers.map(({ status }) => status)).toEqual(Array(100).fill(200));
  const decisions = await api.call(OPERATIONS.listDecisions, { params });
  const first = decisions.items.find(({ from }) => from === 0);
  expect(first?.to, JSON.stringify(decisions.items.slice(0, 3))).toBe(1);
  const after = await api.call(OPERATIONS.listInstances, { params, query: { all: 'true', limit: 500 } });
  const known = new Set(before.items.map(({ id }) => id));
  const started = after.items.filter(({ id }) => !known.has(id)).sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  const readyAt = started[0]?.readyAt ?? '';
  expect(started.filter(({ createdAt }) => createdAt < readyAt)).toHaveLength(1);
});

test('kill -9 of the control process during traffic: requests go on, nothing starts twice, no deploy is lost', async () => {
  const accepted = await api.call(OPERATIONS.replaceService, {
    params,
    body: { spec: await withEnvironment('ROUND', '1') },
  });
  await stack.get(host, '/healthz');
  const traffic = load({ requestsPerSecond: 20, durationMs: 10_000 });
  const control = await stack.pid('control');
  await traffic.answers(20);
  process.kill(control, 'SIGKILL');
  const { sent, ok, notSent } = await traffic.report;
  expect({ ok, notSent }).toEqual({ ok: sent, notSent: 0 });
  expect(sent).toBe(200);
  await up();
  api = await stack.api();
  await expect
    .poll(async () => (await api.call(OPERATIONS.getService, { params })).status.latestReadyRevision)
    .toBe(accepted.status.latestCreatedRevision);
  expect((await stack.get(host, '/echo')).body).toContain('ROUND');
  await noDoubleContainer();
});

test('kill -9 of a gateway during traffic: every accepted usage event is billed once', async () => {
  for (let round = 0; round < 3; round += 1) {
    const gateway = await stack.pid('gateway-1');
    const traffic = load({ requestsPerSecond: 50, durationMs: 3_000 });
    await traffic.answers(75);
    process.kill(gateway, 'SIGKILL');
    await traffic.report;
    await expect.poll(async () => (await stack.get(host, '/healthz').catch(() => null))?.status).toBe(200);
  }
  await up();
  // Instances live on and are told of meanwhile: what is known as an event now is billed soon.
  const sent = await usageEvents();
  const unbilled = async () => {
    const billed = new Set(await billedKeys());
    return sent.filter((key) => !billed.has(key));
  };
  expect(sent).not.toEqual([]);
  await expect.poll(unbilled).toEqual([]);
  const billed = await billedKeys();
  expect(new Set(billed).size).toBe(billed.length);
  // Billing may hear of one a moment before the history does.
  const unknown = async () => {
    const known = new Set(await usageEvents());
    return billed.filter((key) => !known.has(key));
  };
  await expect.poll(unknown).toEqual([]);
});

test('a second up is quick and changes nothing', async () => {
  const before = await containers();
  const again = await stack.up();
  expect(again.code).toBe(0);
  expect(await containers()).toEqual(before);
});

test('down stops all, containers included; the next up brings services back as they were', async () => {
  expect((await stack.skyrun(['down', '--data-dir', stack.dataDir])).code).toBe(0);
  expect(await containers()).toEqual([]);
  await up();
  expect((await stack.get(host, '/healthz')).status).toBe(200);
});

async function up(): Promise<void> {
  const outcome = await stack.up();
  expect(outcome.code, outcome.stdout + outcome.stderr).toBe(0);
}

async function shortWindows() {
  const { spec } = await api.call(OPERATIONS.getService, { params });
  const scaling = { ...spec.template.scaling, ...TO_ZERO_SOON };
  return { ...spec, template: { ...spec.template, scaling } };
}

async function withEnvironment(name: string, value: string) {
  const { spec } = await api.call(OPERATIONS.getService, { params });
  return { ...spec, template: { ...spec.template, env: [...spec.template.env, { name, value }] } };
}

async function untilInstances(count: number): Promise<void> {
  await expect
    .poll(async () => (await api.call(OPERATIONS.listInstances, { params })).items.length, {
      timeout: 180_000,
      interval: 500,
    })
    .toBe(count);
}

/** Names of this installation's running containers. */
async function containers(): Promise<string[]> {
  const { id } = JSON.parse(await readFile(join(stack.dataDir, 'secrets.json'), 'utf8')) as { id: string };
  const filters = encodeURIComponent(JSON.stringify({ label: [`dev.skyrun.installation=${id}`] }));
  const chunks: Buffer[] = [];
  const engine = await dockerVersion(DOCKER_SOCKET);
  // `down` ends an engine that `up` has started.
  if ('error' in engine) return [];
  const call = request({ socketPath: DOCKER_SOCKET, path: `/containers/json?filters=${filters}` }).end();
  const [response] = (await once(call, 'response')) as [IncomingMessage];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const found = JSON.parse(Buffer.concat(chunks).toString()) as { Names: string[] }[];
  return found.flatMap(({ Names }) => Names).sort();
}

async function noDoubleContainer(): Promise<void> {
  const live = await api.call(OPERATIONS.listInstances, { params });
  const running = (await containers()).filter((name) => live.items.some(({ id }) => name.includes(id.slice(4))));
  expect(new Set(running).size).toBe(running.length);
  expect(running.length).toBe(live.items.filter(({ state }) => state !== 'stopped' && state !== 'failed').length);
}

async function usageEvents(): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.call(OPERATIONS.listProjectEvents, {
      params: { project: 'demo' },
      query: { type: 'skyrun.usage.recorded.v1', limit: 500, ...(cursor === undefined ? {} : { cursor }) },
    });
    keys.push(...page.items.map(({ data }) => (data as { key: string }).key));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return [...new Set(keys)].sort();
}

async function billedKeys(): Promise<string[]> {
  const keys: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await api.call(OPERATIONS.listUsage, {
      params: { project: 'demo' },
      query: { limit: 500, ...(cursor === undefined ? {} : { cursor }) },
    });
    keys.push(...page.items.map(({ key }) => key));
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return keys.sort();
}

/** Requests from this process, which nothing of the stack can hold up at their start. */
function load(rate: { requestsPerSecond: number; durationMs: number }) {
  let answered = 0;
  const report = runLoad({
    connect: { host: '127.0.0.1', port: stack.port },
    hostHeader: `${host}:${stack.port}`,
    path: '/healthz',
    method: 'GET',
    arrivals: steady(rate),
    timeoutMs: 60_000,
    maxInFlight: 5_000,
    clock: systemClock,
    onRequest: () => {
      answered += 1;
    },
  });
  return { report, answers: (count: number) => expect.poll(() => answered).toBeGreaterThanOrEqual(count) };
}
