import { NOTICE_TYPES, OPERATIONS } from '@skyrun/contracts';
import type { Client } from '@skyrun/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { withinLoad } from '../patience.ts';
import { type Receiver, startReceiver } from './receiver.ts';
import { type Stack, startStack } from './stack.ts';

/** The most that may be spent beyond a hard cap, as seconds of spending. */
const MOST_SECONDS = 10;
const PATIENCE = { timeout: 90_000, interval: 250 };

let stack: Stack;
let api: Client;
let receiver: Receiver;
let host: string;
let service: string;
const project = 'demo';
beforeAll(async () => {
  receiver = await startReceiver();
  // The receiver is on this machine.
  const environment = { SKYRUN_BILLING_FREE_TIER: 'false', SKYRUN_WEBHOOK_ALLOW_PRIVATE: 'true' };
  stack = await startStack({ environment });
  api = await stack.api();
  host = new URL(String(/http:\/\/\S+\.demo\.localhost:\d+/.exec(stack.firstUp.stdout)?.[0])).hostname;
  service = host.split('.')[0] ?? '';
});
afterAll(async () => {
  await stack?.end();
  await receiver?.close();
});

const spent = async () => Number((await api.call(OPERATIONS.getCosts, { params: { project } })).exactTotal);
const instances = async () => {
  const { status } = await api.call(OPERATIONS.getService, { params: { project, service } });
  return status.instances.ready + status.instances.starting + status.instances.draining;
};

test('a hard cap stops the spending within seconds, says so to callers and a webhook, and lifts when it is raised', async () => {
  let stopped = false;
  // One request at a time keeps one instance busy all along.
  const load = (async () => {
    while (!stopped) await stack.get(host, '/sleep?ms=400');
  })();
  try {
    await expect.poll(spent, PATIENCE).toBeGreaterThan(0);
    const { spec } = await api.call(OPERATIONS.getService, { params: { project, service } });
    const { cpuMilli, memoryMib } = spec.template.resources;
    const perSecond = (cpuMilli / 1000) * 0.000024 + (memoryMib / 1024) * 0.0000025;
    const { secret } = await api.call(OPERATIONS.createSubscription, {
      params: { project },
      body: { name: 'notices', destination: receiver.url, filter: { types: [...NOTICE_TYPES] }, mode: 'structured' },
    });
    const amount = (await spent()) + 6 * perSecond;
    const budget = {
      name: 'all',
      amount: amount.toFixed(12),
      thresholds: [{ percent: 50, basis: 'actual' as const }],
      hardCap: true,
    };
    const { id } = await api.call(OPERATIONS.createBudget, { params: { project }, body: budget });

    await expect.poll(async () => (await stack.get(host)).status, PATIENCE).toBe(503);
    const problem = await stack.get(host);
    expect(JSON.parse(problem.body)).toMatchObject({ code: 'gateway.project_paused', status: 503 });
    const page = await stack.get(host, '/', { accept: 'text/html' });
    expect(page.headers['content-type']).toContain('text/html');
    expect(page.body).toContain('This service is paused');
    await expect.poll(instances, PATIENCE).toBe(0);

    // What was measured until then comes in; after that nothing does, though callers go on.
    let settled = await spent();
    for (let before = -1; before !== settled; settled = await spent()) {
      before = settled;
      await new Promise((resolve) => setTimeout(resolve, 12_000));
    }
    const overshoot = (settled - amount) / perSecond;
    process.stdout.write(`overshoot of the hard cap: ${overshoot.toFixed(2)} s of spending\n`);
    expect(overshoot).toBeGreaterThanOrEqual(0);
    expect(overshoot).toBeLessThanOrEqual(withinLoad(MOST_SECONDS));

    const params = { project, budgetId: id };
    await api.call(OPERATIONS.replaceBudget, { params, body: { ...budget, amount: '1000' } });
    await expect.poll(async () => (await stack.get(host)).status, PATIENCE).toBe(200);

    const told = () => receiver.noticesSignedBy(secret);
    await expect.poll(() => new Set(told().map(({ type }) => type)).size, PATIENCE).toBe(3);
    const of = (type: string) =>
      told()
        .filter((notice) => notice.type === type)
        .map(({ data }) => data);
    expect(of('skyrun.budget.exceeded.v1')).toMatchObject([{ budgetId: id, percent: 50, basis: 'actual' }]);
    expect(of('skyrun.project.capped.v1')).toMatchObject([{ project, budgetId: id }]);
    expect(of('skyrun.project.uncapped.v1')).toMatchObject([{ project, budgetId: id }]);
  } finally {
    stopped = true;
    await load;
  }
});
