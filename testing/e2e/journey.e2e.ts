import { join } from 'node:path';
import { type CostReport, OPERATIONS, type ServiceSpec } from '@skyrun/contracts';
import type { Client } from '@skyrun/kit';
import { buildSampleArchive } from '@skyrun/workload/sample';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenBrowser, openBrowser, violations } from './browser.ts';
import { type Stack, startStack } from './stack.ts';

/** And without a paused instance that stays for a while. */
const TO_ZERO_SOON = {
  stableWindowSeconds: 6,
  scaleToZeroGraceSeconds: 2,
  idle: { pausedSeconds: 0, stoppedSeconds: 0 },
};

/** The tenant's journey in a real browser, on the one-machine shape. The tests follow one another. */
let stack: Stack;
let browser: OpenBrowser;
let api: Client;
const params = { project: 'demo', service: 'web' };

beforeAll(async () => {
  stack = await startStack({ environment: { SKYRUN_REVISION_LINGER_SECONDS: '2' } });
  browser = await openBrowser(stack.url);
  api = await stack.api();
});
afterAll(async () => {
  await browser?.close();
  await stack?.end();
});

test('up prints the sample’s URL, which answers through the gateway', async () => {
  const url = /http:\/\/\S+\.demo\.localhost:\d+/.exec(stack.firstUp.stdout)?.[0];
  expect(url, stack.firstUp.stdout).toBeDefined();
  const answer = await stack.get(new URL(String(url)).hostname);
  expect(answer.status).toBe(200);
});

test('a wrong password is said so, the right one leads to the services', async () => {
  const { page } = browser;
  await page.goto('/');
  await page.getByLabel('E-mail').fill(stack.email);
  await page.getByLabel('Password').fill('not the password');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('alert').waitFor();
  await page.getByLabel('Password').fill(stack.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor();
  await expect.poll(() => violations(page)).toEqual([]);
});

test('an archive dropped on the page becomes a service with a URL', async () => {
  const { page } = browser;
  const archive = join(stack.dataDir, '..', 'web.tar');
  await buildSampleArchive({ destination: archive, format: 'docker', name: 'web', tag: 'v1' });
  await page.goto('/projects/demo/deploy');
  await page.getByLabel('Image archive').setInputFiles(archive);
  await page.getByLabel('Service name').fill('web');
  await page.getByRole('button', { name: 'Deploy', exact: true }).click();
  await page.getByText('web is ready').waitFor({ timeout: 60_000 });
  const answer = await stack.get('web.demo.localhost', '/healthz');
  expect(answer).toMatchObject({ status: 200 });
});

test('the count of live instances follows the truth without a reload, to zero and back', async () => {
  const { page } = browser;
  const service = await api.call(OPERATIONS.getService, { params });
  const spec: ServiceSpec = {
    ...service.spec,
    template: {
      ...service.spec.template,
      scaling: { ...service.spec.template.scaling, ...TO_ZERO_SOON },
    },
  };
  await api.call(OPERATIONS.replaceService, { params, body: { spec } });
  await page.goto('/projects/demo/services/web');
  const ready = page.getByRole('status', { name: 'Ready instances' });
  await expect.poll(() => ready.textContent()).toBe('0');

  const held = await stack.get('web.demo.localhost', '/');
  expect(held.status).toBe(200);
  await expect.poll(() => ready.textContent()).toBe('1');
  await expect.poll(() => ready.textContent()).toBe('0');
});

test('the billing page shows a cost that is not zero and equals the API’s figure', async () => {
  const { page } = browser;
  for (let i = 0; i < 5; i += 1) await stack.get('web.demo.localhost', '/burn?ms=200');
  await expect.poll(async () => Number((await costs()).exactSubtotal)).toBeGreaterThan(0);
  await page.goto('/projects/demo/billing');
  const shown = page.getByRole('status', { name: 'Live cost', exact: true });
  // The page is a few seconds behind while usage still comes in, so the two are compared until they are of one moment.
  const figures = async () => {
    const api = (await costs()).exactSubtotal;
    return { api, page: digits(await shown.textContent()) };
  };
  await expect
    .poll(async () => figures().then((now) => now.page === now.api && Number(now.api) > 0), { timeout: 90_000 })
    .toBe(true);
});

test('the period closes into an invoice whose lines and credits add up to its total', async () => {
  const { page } = browser;
  await page.goto('/projects/demo/billing');
  await page.getByRole('button', { name: 'Close period' }).click();
  await page.getByRole('button', { name: 'Close period and make invoice' }).click();
  await page.waitForURL(/\/billing\/inv_/);
  const { items } = await api.call(OPERATIONS.listInvoices, { params: { project: 'demo' } });
  expect(items).toHaveLength(1);
  expect(items[0]?.lines.length).toBeGreaterThan(0);
});

test('a service’s page sets what the gateway asks of its requests', async () => {
  const { page } = browser;
  await page.goto('/projects/demo/services/sample/settings');
  await page.getByRole('button', { name: 'Add rate limit' }).click();
  await page.getByLabel('Requests', { exact: true }).fill('many');
  await page.getByRole('button', { name: 'Save access and limits' }).click();
  await page.getByText('expected a number', { exact: true }).waitFor();
  await page.getByLabel('Requests', { exact: true }).fill('1000');
  await page.getByRole('checkbox', { name: /Maintenance/ }).check();
  await page.getByRole('textbox', { name: 'Message' }).fill('Painting the walls.');
  await page.getByRole('button', { name: 'Save access and limits' }).click();
  const sample = 'sample.demo.localhost';
  await expect.poll(async () => (await stack.get(sample)).status).toBe(503);
  expect((await stack.get(sample)).body).toContain('Painting the walls.');
  await page.getByRole('checkbox', { name: /Maintenance/ }).uncheck();
  await page.getByRole('checkbox', { name: /Reads share connections/ }).check();
  await page.getByLabel('Requests on a connection').fill('16');
  await page.getByRole('button', { name: 'Save access and limits' }).click();
  await expect.poll(async () => (await stack.get(sample)).status).toBe(200);
  const { spec } = await api.call(OPERATIONS.getService, { params: { project: 'demo', service: 'sample' } });
  expect(spec.policy?.rateLimits).toMatchObject([{ name: 'default', per: 'address', requests: 1000 }]);
  expect(spec.policy?.pipelining).toEqual({ depth: 16, heldUpMs: 50 });
  await expect.poll(() => violations(page)).toEqual([]);
});

test('an operator sees the gateway and who calls through it', async () => {
  const { page } = browser;
  await page.goto('/projects/demo/gateway');
  await page.getByRole('cell', { name: 'gateway-1' }).waitFor();
  await expect
    .poll(async () => {
      await stack.get('sample.demo.localhost');
      return page.getByRole('region', { name: 'Busiest services, table' }).getByText('demo/sample').count();
    })
    .toBe(1);
  await page.getByRole('searchbox', { name: 'Search routes' }).fill('demo/sample');
  const routes = page.getByRole('region', { name: 'Routes, table' });
  await expect.poll(() => routes.getByText('sample.demo.localhost').count()).toBeGreaterThan(0);
  await expect.poll(() => violations(page)).toEqual([]);
});

test('no page complained', () => expect(browser.complaints).toEqual([]));

async function costs(): Promise<CostReport> {
  return api.call(OPERATIONS.getCosts, { params: { project: 'demo' } });
}

function digits(text: string | null): string {
  return (text ?? '').replace(/[^0-9.]/g, '');
}

test('on a phone no page is wider than the screen, and the tab of the page is in sight', async () => {
  const { page } = browser;
  await page.setViewportSize({ width: 390, height: 844 });
  const tabbed = ['services/sample/cost', 'services/sample/settings', 'events/subscriptions', 'events/dead-letters'];
  for (const path of ['services', 'images', 'domains', 'secrets', 'keys', 'members', 'events/map', ...tabbed]) {
    await page.goto(`/projects/demo/${path}`);
    await page.getByRole('heading', { level: 1 }).waitFor();
    await expect.poll(() => page.getByRole('status', { name: 'Loading' }).count()).toBe(0);
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth'), { message: path }).toBe(390);
    if (!tabbed.includes(path)) continue;
    const tab = page.locator('[data-tab-strip] [aria-current="page"]');
    await expect
      .poll(async () => tab.boundingBox().then((box) => box !== null && box.x >= 0 && box.x + box.width <= 390), {
        message: path,
      })
      .toBe(true);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
});
