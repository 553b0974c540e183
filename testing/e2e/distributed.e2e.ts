import { join } from 'node:path';
import { OPERATIONS } from '@skyrun/contracts';
import type { Client } from '@skyrun/kit';
import { buildSampleArchive } from '@skyrun/workload/sample';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Stack, startStack } from './stack.ts';

/** The compose file's topology as processes: each service alone, events over RabbitMQ. The tests follow one another. */
let stack: Stack;
let api: Client;
const params = { project: 'demo', service: 'web' };

beforeAll(async () => {
  stack = await startStack({ flags: ['--distributed'] });
  api = await stack.api();
});
afterAll(() => stack?.end());

test('each service is a process of its own beside a real RabbitMQ', async () => {
  for (const name of ['identity', 'registry', 'orchestrator', 'events', 'billing', 'gateway-1', 'rabbitmq']) {
    expect(await stack.pid(name), name).toBeGreaterThan(0);
  }
});

test('a deploy, a request, its events and its cost go through the broker', async () => {
  const archive = join(stack.dataDir, '..', 'web.tar');
  await buildSampleArchive({ destination: archive, format: 'docker', name: 'web' });
  const login = await stack.skyrun(
    ['login', '--url', stack.url, '--email', stack.email, '--password-stdin', '--project', 'demo'],
    stack.password,
  );
  expect(login.code, login.stderr).toBe(0);
  const deploy = await stack.skyrun(['deploy', archive, '--name', 'web']);
  expect(deploy.code, deploy.stderr).toBe(0);
  expect((await stack.get('web.demo.localhost', '/burn?ms=300')).status).toBe(200);
  for (const type of ['skyrun.revision.ready.v1', 'skyrun.instance.ready.v1', 'skyrun.usage.recorded.v1']) {
    await expect
      .poll(async () => (await api.call(OPERATIONS.listProjectEvents, { params, query: { type } })).items.length)
      .toBeGreaterThan(0);
  }
  await expect
    .poll(async () => Number((await api.call(OPERATIONS.getCosts, { params })).exactSubtotal))
    .toBeGreaterThan(0);
});

test('a service killed with -9 comes back and goes on where it was', async () => {
  for (const name of ['registry', 'billing', 'orchestrator'] as const) process.kill(await stack.pid(name), 'SIGKILL');
  expect((await stack.get('web.demo.localhost', '/healthz')).status).toBe(200);
  const again = await stack.up();
  expect(again.code, again.stdout + again.stderr).toBe(0);
  const service = await api.call(OPERATIONS.getService, { params });
  expect(service.status.conditions.find(({ type }) => type === 'Ready')?.status).toBe('True');
});
