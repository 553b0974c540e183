import { expect, test } from 'vitest';
import { startEcho } from '../harness/echo-instance.ts';
import { instanceId, route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';

const REQUEST = 'GET /w HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: close\r\n\r\n';

const paused = (port: number, version: number, state: 'paused' | 'ready' = 'paused') =>
  route([target([], { instances: [{ id: instanceId(port), address: '127.0.0.1', port, state, version }] })]);

test('requests for a paused instance ask once to have it woken, and go there with the answer', async () => {
  const echo = await startEcho();
  const running = await startGateway([paused(echo.port, 4)]);
  try {
    const instance = { id: instanceId(echo.port), address: '127.0.0.1', port: echo.port, state: 'ready', version: 5 };
    running.control.answerWakes([instance]);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => exchangeRaw(running.port, [REQUEST], { waitMs: 5000 })),
    );
    expect(answers.map(({ text }) => statusOf(text))).toEqual(new Array(20).fill(200));
    expect(running.control.wakes()).toBe(1);
    expect(running.control.reports.filter(({ windowMs }) => windowMs === 0)).toEqual([]);
    // A route from before the answer comes late: it does not put the instance to sleep again.
    running.control.change([paused(echo.port, 4)]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(statusOf((await exchangeRaw(running.port, [REQUEST], { waitMs: 5000 })).text)).toBe(200);
    expect(running.control.wakes()).toBe(1);
  } finally {
    await running.close();
    await echo.close();
  }
});

test('where nobody can be woken, the ordinary activation asks for an instance', async () => {
  const echo = await startEcho();
  const running = await startGateway([paused(echo.port, 4)]);
  try {
    const activated = new Promise<void>((resolve) => running.control.onReport(() => resolve()));
    const answer = exchangeRaw(running.port, [REQUEST], { waitMs: 5000 });
    await activated;
    expect(running.control.wakes()).toBeGreaterThan(0);
    const ready = paused(echo.port, 6, 'ready');
    running.control.change([ready]);
    expect(statusOf((await answer).text)).toBe(200);
  } finally {
    await running.close();
    await echo.close();
  }
});
