import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startEcho } from '../harness/echo-instance.ts';
import { type RunningGateway, route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw } from '../harness/raw-client.ts';

const within = { timeout: 15_000 };
let directory: string;
let path: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skyrun-access-log-'));
  path = join(directory, 'logs', 'access.log');
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

const ask = (running: RunningGateway, target: string, fields = '') =>
  exchangeRaw(running.port, [
    `GET ${target} HTTP/1.1\r\nHost: hello.demo.localhost\r\n${fields}Connection: close\r\n\r\n`,
  ]);
const linesOf = async (file: string): Promise<Record<string, unknown>[]> => {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
};
const linesWhen = (file: string, count: number) =>
  vi.waitFor(async () => {
    const lines = await linesOf(file);
    expect(lines).toHaveLength(count);
    return lines;
  }, within);

test('a request is one line, without its query, its cookies and its tokens', async () => {
  const echo = await startEcho();
  const running = await startGateway([route([target([echo.port])])], { accessLog: { path, ratio: 1, query: false } });
  try {
    const secrets = 'Authorization: Bearer s3cret\r\nCookie: c=s3cret\r\nUser-Agent: probe/1\r\nX-Request-Id: r-1\r\n';
    await ask(running, '/a/b?token=s3cret', secrets);
    const [line] = await linesWhen(path, 1);
    expect(line).toMatchObject({
      gateway: 'test',
      requestId: 'r-1',
      client: '127.0.0.1',
      method: 'GET',
      scheme: 'http',
      host: 'hello.demo.localhost',
      path: '/a/b',
      protocol: 'HTTP/1.1',
      status: 200,
      waitedMs: 0,
      attempts: 1,
      project: 'demo',
      service: 'hello',
      revision: 'hello-00001',
      userAgent: 'probe/1',
    });
    expect(line?.['traceId']).toMatch(/^[0-9a-f]{32}$/);
    expect(Number(line?.['bytesOut'])).toBeGreaterThan(0);
    expect(Date.parse(String(line?.['time']))).toBeGreaterThan(1_700_000_000_000);
    expect(await readFile(path, 'utf8')).not.toContain('s3cret');
    // The instance is not told that nobody traces here: it may trace on its own.
    expect(echo.seen[0]?.headers['traceparent']).toMatch(/-01$/);
  } finally {
    await running.close();
    await echo.close();
  }
});

test('errors are written whatever the ratio, and what is pending when the gateway stops', async () => {
  const echo = await startEcho();
  const blocked = { ...route([], 'blocked.demo.localhost'), blocked: 'spending_cap' as const };
  const running = await startGateway([route([target([echo.port])]), blocked], {
    accessLog: { path, ratio: 0, query: true },
  });
  for (let count = 0; count < 5; count += 1) await ask(running, '/fine');
  await exchangeRaw(running.port, [
    'GET /?asked=for HTTP/1.1\r\nHost: blocked.demo.localhost\r\nConnection: close\r\n\r\n',
  ]);
  await running.close();
  await echo.close();
  expect(await linesOf(path)).toMatchObject([{ status: 503, path: '/?asked=for', attempts: 0 }]);
});

test('a file that was moved away is left alone after a reopening, and no line is lost', async () => {
  const echo = await startEcho();
  const running = await startGateway([route([target([echo.port])])], { accessLog: { path, ratio: 1, query: false } });
  try {
    await ask(running, '/1');
    await linesWhen(path, 1);
    await rename(path, `${path}.1`);
    running.gateway.reopenLog();
    await ask(running, '/2');
    expect(await linesWhen(path, 1)).toMatchObject([{ path: '/2' }]);
    expect(await linesOf(`${path}.1`)).toMatchObject([{ path: '/1' }]);
  } finally {
    await running.close();
    await echo.close();
  }
});
