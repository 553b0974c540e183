import { createServer } from 'node:http';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startEcho } from '../harness/echo-instance.ts';
import { instanceId, route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';
import { WaitingRoom } from './waiting-room.ts';

const REQUEST = 'GET /w HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: close\r\n\r\n';
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => boolean, ms = 20_000): Promise<void> {
  for (let waited = 0; !holds(); waited += 5) {
    if (waited > ms) throw new Error('it did not come true in time');
    await sleep(5);
  }
}

test('a room keeps order, has a limit, and lets go of who leaves or waits too long', () => {
  const room = new WaitingRoom<{ waitUntil: number }>({ requests: 3, bytes: 1000 });
  const [a, b, c, d] = [10, 20, 30, 40].map((waitUntil) => ({ waitUntil }));
  if (!a || !b || !c || !d) throw new Error('unreachable');
  expect([a, b, c, d].map((one) => room.enter(one, 10))).toEqual([true, true, true, false]);
  expect(room.leave(b)).toBe(true);
  expect(room.leave(b)).toBe(false);
  expect(room.expire(10)).toEqual([a]);
  expect(room.take()).toBe(c);
  expect(room.take()).toBeUndefined();
});

test('a room has a limit of bytes too, which come back with whoever leaves', () => {
  const room = new WaitingRoom<{ waitUntil: number }>({ requests: 100, bytes: 100 });
  const [a, b, c] = [10, 20, 30].map((waitUntil) => ({ waitUntil }));
  if (!a || !b || !c) throw new Error('unreachable');
  expect(room.enter(a, 40)).toBe(true);
  expect(room.enter(b, 61)).toBe(false);
  expect(room.enter(b, 50)).toBe(true);
  expect(room.enter(c, 11)).toBe(false);
  expect(room.enter(c, 10)).toBe(true);
  expect(room.leave(c)).toBe(true);
  // What was read is held, and nothing more is read.
  expect(room.grow(b, 20)).toBe(false);
  expect(room.bytes).toBe(110);
  expect(room.enter(c, 1)).toBe(false);
  expect(room.grow(c, 1000)).toBe(true);
  expect(room.take()).toBe(a);
  expect(room.enter(c, 30)).toBe(true);
  expect(room.expire(20)).toEqual([b]);
  expect(room.takeAll()).toEqual([c]);
  expect(room.bytes).toBe(0);
});

test('what waits is bounded in bytes: the rest is answered 503 at once, and who waits is served in the end', async () => {
  const echo = await startEcho();
  const limits = { roomBounds: { requests: 100, bytes: 100_000 } };
  const running = await startGateway([route([target([])])], { limits });
  const body = 'x'.repeat(10_000);
  const post = `POST /w HTTP/1.1\r\nHost: hello.demo.localhost\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  try {
    let refused = 0;
    const answers = Array.from({ length: 20 }, async () => {
      const { text } = await exchangeRaw(running.port, [post], { waitMs: 30_000 });
      if (statusOf(text) === 503 && text.includes('gateway.queue_full') && /Retry-After: \d/.test(text)) refused += 1;
      return statusOf(text);
    });
    // Each takes its body and a head of some hundred bytes, so that nine find room.
    await until(() => refused >= 10);
    running.control.change([route([target([echo.port])])]);
    const served = (await Promise.all(answers)).filter((status) => status === 200);
    expect(served.length).toBe(20 - refused);
    expect(served.length).toBeGreaterThanOrEqual(8);
  } finally {
    await running.close();
    await echo.close();
  }
});

test('a hundred requests at zero instances: one activation, and all are answered by the first ready instance', async () => {
  const echo = await startEcho();
  const running = await startGateway([route([target([])])]);
  try {
    const answers = Array.from({ length: 100 }, () => exchangeRaw(running.port, [REQUEST], { waitMs: 8000 }));
    await until(() => running.control.reports.length > 0);
    await sleep(300);
    const activations = running.control.reports.filter((report) => report.windowMs === 0);
    expect(activations).toHaveLength(1);
    expect(activations[0]?.revisions[0]?.queued).toBeGreaterThan(0);
    running.control.change([route([target([echo.port])])]);
    const statuses = (await Promise.all(answers)).map((answer) => statusOf(answer.text));
    expect(statuses).toEqual(new Array(100).fill(200));
    expect(echo.seen).toHaveLength(100);
  } finally {
    await running.close();
    await echo.close();
  }
});

test('an activation is repeated until the orchestrator takes it', async () => {
  const running = await startGateway([route([target([])])]);
  try {
    running.control.answerReports(503);
    const answer = exchangeRaw(running.port, [REQUEST], { waitMs: 1500 });
    await sleep(400);
    expect(running.control.reports).toHaveLength(0);
    running.control.answerReports(204);
    await until(() => running.control.reports.length > 0);
    expect(running.control.reports[0]?.revisions[0]?.queued).toBe(1);
    await answer;
  } finally {
    await running.close();
  }
});

test('containerConcurrency is a hard cap: the rest waits its turn', async () => {
  let now = 0;
  let most = 0;
  const server = createServer((_request, response) => {
    now += 1;
    most = Math.max(most, now);
    setTimeout(() => {
      now -= 1;
      response.end('ok');
    }, 20);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const running = await startGateway([route([target([port], { containerConcurrency: 2 })])]);
  try {
    const answers = await Promise.all(Array.from({ length: 20 }, () => exchangeRaw(running.port, [REQUEST])));
    expect(answers.map((answer) => statusOf(answer.text))).toEqual(new Array(20).fill(200));
    expect(most).toBe(2);
  } finally {
    await running.close();
    server.closeAllConnections();
    server.close();
  }
});

test('bounds: a full room answers 503, a long wait 504, both with Retry-After; a client that leaves makes room', async () => {
  const running = await startGateway([route([target([])])], {
    limits: { roomBounds: { requests: 2, bytes: 1_000_000 }, waitMs: 600 },
  });
  try {
    const leaver = connect(running.port, '127.0.0.1', () => leaver.write(REQUEST));
    const waiter = exchangeRaw(running.port, [REQUEST]);
    await sleep(100);
    const refused = await exchangeRaw(running.port, [REQUEST]);
    expect(statusOf(refused.text)).toBe(503);
    expect(refused.text).toMatch(/Retry-After: 1\r\n[\s\S]*gateway\.queue_full/);
    leaver.destroy();
    await sleep(100);
    const second = exchangeRaw(running.port, [REQUEST]);
    const late = await waiter;
    expect(statusOf(late.text)).toBe(504);
    expect(late.text).toMatch(/Retry-After: \d+\r\n[\s\S]*gateway\.queue_timeout/);
    expect(statusOf((await second).text)).toBe(504);
  } finally {
    await running.close();
  }
});

test('who waits for a service that is deleted is told so', async () => {
  const running = await startGateway([route([target([])])]);
  try {
    const answer = exchangeRaw(running.port, [REQUEST]);
    await sleep(100);
    running.control.change([], ['hello.demo.localhost']);
    expect(statusOf((await answer).text)).toBe(404);
  } finally {
    await running.close();
  }
});

test('who waits for a revision that is replaced is served by the new one', async () => {
  const echo = await startEcho();
  const running = await startGateway([route([target([])])]);
  try {
    const answer = exchangeRaw(running.port, [REQUEST]);
    await sleep(100);
    const next = target([echo.port], {
      revisionId: 'rev_01890000-0000-7000-8000-000000000002',
      revisionName: 'hello-00002',
    });
    running.control.change([route([next])]);
    expect(statusOf((await answer).text)).toBe(200);
  } finally {
    await running.close();
    await echo.close();
  }
});

test('an instance that refuses connections is passed over, and waited for where it is the only one', async () => {
  const echo = await startEcho();
  const dead = await startEcho();
  const deadPort = dead.port;
  await dead.close();
  const running = await startGateway([route([target([deadPort, echo.port])])]);
  try {
    for (let index = 0; index < 10; index += 1) {
      expect(statusOf((await exchangeRaw(running.port, [REQUEST.replace('GET', 'POST')])).text)).toBe(200);
    }
    running.control.change([route([target([deadPort])])]);
    await sleep(100);
    const answer = exchangeRaw(running.port, [REQUEST]);
    await sleep(200);
    const { port } = echo;
    running.control.change([route([target([deadPort, port])])]);
    expect(statusOf((await answer).text)).toBe(200);
    expect(instanceId(port)).toContain(String(port));
  } finally {
    await running.close();
    await echo.close();
  }
});
