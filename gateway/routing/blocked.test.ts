import type { Route } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { startEcho } from '../harness/echo-instance.ts';
import { type RunningGateway, route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';

const ask = async (running: RunningGateway, fields = '') => {
  const head = `GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\n${fields}Connection: close\r\n\r\n`;
  const { text } = await exchangeRaw(running.port, [head]);
  return { status: statusOf(text), text };
};

test('a paused project is answered for, without reaching an instance or asking for one, until it may run again', async () => {
  const echo = await startEcho();
  const open = route([target([echo.port])]);
  const blocked: Route = { ...open, targets: [], blocked: 'spending_cap' };
  const running = await startGateway([route([target([])])]);
  try {
    // Nothing is ready: this one waits when the cap comes.
    const waiting = ask(running);
    await expect.poll(() => running.control.reports.some(({ revisions }) => revisions.length > 0)).toBe(true);
    running.control.change([blocked]);
    const interrupted = await waiting;
    expect(interrupted.status).toBe(503);
    expect(interrupted.text).toContain('"code":"gateway.project_paused"');

    const reports = running.control.reports.length;
    const problem = await ask(running);
    expect(problem.status).toBe(503);
    expect(problem.text).toMatch(/content-type: application\/problem\+json/i);
    expect(problem.text).toMatch(/retry-after: 60/i);
    expect(problem.text).toContain('spending limit');
    const page = await ask(running, 'Accept: text/html\r\n');
    expect(page.status).toBe(503);
    expect(page.text).toMatch(/content-type: text\/html/i);
    expect(page.text).toContain('<h1>This service is paused</h1>');
    const activations = running.control.reports.slice(reports).filter(({ windowMs }) => windowMs === 0);
    expect(activations).toEqual([]);
    expect(echo.seen).toHaveLength(0);

    running.control.change([open]);
    await expect.poll(async () => (await ask(running)).status).toBe(200);
    expect(echo.seen.length).toBeGreaterThan(0);
  } finally {
    await running.close();
    await echo.close();
  }
});
