import { OPERATIONS } from '@skyrun/contracts';
import type { Client } from '@skyrun/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenBrowser, openBrowser, violations } from './browser.ts';
import { type Stack, startStack } from './stack.ts';

/** Billing's pages in a real browser, by those who pay. The tests follow one another. */
let stack: Stack;
let browser: OpenBrowser;
let api: Client;
const params = { project: 'demo' };

beforeAll(async () => {
  stack = await startStack();
  browser = await openBrowser(stack.url);
  api = await stack.api();
  const { page } = browser;
  await page.goto('/');
  await page.getByLabel('E-mail').fill(stack.email);
  await page.getByLabel('Password').fill(stack.password);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('heading', { level: 1, name: 'Services' }).waitFor();
});
afterAll(async () => {
  await browser?.close();
  await stack?.end();
});

test('a budget is refused at its fields, then made, changed and deleted', async () => {
  const { page } = browser;
  await page.goto('/projects/demo/billing/budgets');
  await page.getByRole('button', { name: 'Create budget' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Create budget' }).click();
  await dialog.getByText('expected something here').waitFor();
  await dialog.getByLabel('Name').fill('Everything');
  await dialog.getByLabel('Amount per month').fill('25');
  await dialog.getByRole('button', { name: 'Create budget' }).click();
  await page.getByRole('list', { name: 'Budgets' }).getByText('Everything').waitFor();

  await page.getByRole('button', { name: 'Edit Everything' }).click();
  await page.getByRole('checkbox', { name: /Hard cap/ }).check();
  await page.getByRole('button', { name: 'Save budget' }).click();
  await expect
    .poll(async () => (await api.call(OPERATIONS.listBudgets, { params })).items.map(({ hardCap }) => hardCap))
    .toEqual([true]);
  await expect.poll(() => violations(page)).toEqual([]);

  await page.getByRole('button', { name: 'Delete Everything' }).click();
  await page.getByRole('button', { name: 'Delete budget' }).click();
  await page.getByText('No budget yet').waitFor();
});

test('a line of an invoice opens to the usage behind it', async () => {
  const { page } = browser;
  await stack.get('sample.demo.localhost');
  await expect.poll(async () => (await api.call(OPERATIONS.getCosts, { params })).lines.length).toBeGreaterThan(0);
  const invoice = await api.call(OPERATIONS.closePeriod, { params, body: {} });
  await page.goto(`/projects/demo/billing/${invoice.id}`);
  await page
    .getByRole('button', { name: /^Usage of sample/ })
    .first()
    .click();
  await page.getByText(/usage rows?, all of them/).waitFor();
  await expect.poll(() => violations(page)).toEqual([]);

  await page.getByRole('button', { name: 'Record payment' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('button', { name: 'Record payment' }).click();
  await dialog.getByText('expected something here').waitFor();
  await dialog.getByLabel('Reference').fill('transfer 4711');
  await dialog.getByRole('button', { name: 'Record payment' }).click();
  await page.getByText('by transfer 4711').waitFor();
});

test('a price list with a mistake is refused at its line, and one that is right shows what it changes', async () => {
  const { page } = browser;
  await page.goto('/projects/demo/billing/prices');
  await page.getByRole('button', { name: 'New version from this' }).click();
  const yaml = page.getByRole('textbox', { name: 'YAML of the version' });
  const text = await yaml.inputValue();
  await yaml.fill(text.replace('minimumSeconds: 60', 'minimumSeconds: -1'));
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByText('/instance/minimumSeconds').waitFor();
  const later = text.replace(/effectiveFrom: .*/, 'effectiveFrom: "2099-01-01T00:00:00Z"');
  await yaml.fill(later.replace('minimumSeconds: 60', 'minimumSeconds: 30'));
  await page.getByRole('button', { name: 'Check' }).click();
  await page.getByRole('table').getByText('30 s').waitFor();
  await page.getByRole('button', { name: 'Add version' }).click();
  await page.getByRole('heading', { name: 'Different from the version in force' }).waitFor();
});

test('the project gets the prices of a region, from a time on', async () => {
  const { page } = browser;
  await page.goto('/projects/demo/billing/prices');
  await page.getByRole('button', { name: 'Change price list' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Price list').selectOption('region:europe-west3');
  await dialog.getByLabel('From').fill('2020-01-01T00:00');
  await dialog.getByRole('button', { name: 'Change price list' }).click();
  await dialog.getByText(/expected a time from/).waitFor();
  await expect.poll(() => violations(page)).toEqual([]);
  await dialog.getByLabel('From').fill('2099-01-01T00:00');
  await dialog.getByRole('button', { name: 'Change price list' }).click();
  await page.getByText('Planned', { exact: true }).waitFor();
  const list = await api.call(OPERATIONS.getAccountPriceList, { params });
  expect(list).toMatchObject({ priceList: 'cloud-run-tier-1', changes: [{ priceList: 'cloud-run-tier-2' }] });
});

test('a billing contact is added, and without a mail server a test says what to set', async () => {
  const { page } = browser;
  await page.goto('/projects/demo/billing/notices');
  await page.getByLabel('E-mail of a billing contact').fill('ada@example.test');
  await page.getByRole('button', { name: 'Add contact' }).click();
  await page.getByRole('button', { name: 'Remove ada@example.test' }).waitFor();
  await page.getByRole('button', { name: 'Send a test' }).click();
  await page.getByRole('list', { name: 'Mails' }).getByText('Failed').waitFor({ timeout: 60_000 });
});

test('no page has a barrier, in either theme, nor is wider than a phone', { timeout: 400_000 }, async () => {
  const { page } = browser;
  // Colours that are on their way from one theme to the other are nobody's.
  await page.emulateMedia({ reducedMotion: 'reduce' });
  for (const tab of ['', '/analysis', '/advice', '/budgets', '/notices', '/invoices', '/ledger', '/prices', '/jobs']) {
    await page.goto(`/projects/demo/billing${tab}`);
    await page.getByRole('navigation', { name: 'Billing' }).waitFor();
    await expect.poll(() => page.getByRole('status', { name: 'Loading' }).count()).toBe(0);
    for (const theme of ['light', 'dark']) {
      await page.evaluate(`document.documentElement.dataset.theme = '${theme}'`);
      // What is drawn anew meanwhile is on its way, too; a barrier stays.
      await expect.poll(() => violations(page), { message: `${tab} ${theme}` }).toEqual([]);
    }
    await page.setViewportSize({ width: 390, height: 844 });
    await expect.poll(() => page.evaluate('document.documentElement.scrollWidth'), { message: tab }).toBe(390);
    await page.setViewportSize({ width: 1280, height: 900 });
  }
  expect(browser.complaints).toEqual([]);
});
