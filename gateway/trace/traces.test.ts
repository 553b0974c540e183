import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { servicePolicy } from '@skyrun/contracts';
import { expect, test, vi } from 'vitest';
import { type Collector, startCollector } from '../harness/collector.ts';
import { startEcho } from '../harness/echo-instance.ts';
import { type RunningGateway, route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';
import { billingWith } from '../harness/unit-prices.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const PARENT = 'b7ad6b7169203331';
const within = { timeout: 15_000 };

const request = (path: string, fields = '') =>
  `GET ${path} HTTP/1.1\r\nHost: hello.demo.localhost\r\n${fields}Connection: close\r\n\r\n`;
const traceparent = (flags: string) => `traceparent: 00-${TRACE}-${PARENT}-${flags}\r\n`;
const ask = async (running: RunningGateway, path: string, fields = '') =>
  statusOf((await exchangeRaw(running.port, [request(path, fields)], { waitMs: 10_000 })).text);
const pathOf = (span: Collector['spans'][number]) =>
  span.attributes.find(({ key }) => key === 'url.path')?.value as { stringValue: string } | undefined;
const serverSpan = (collector: Collector, path: string) =>
  vi.waitFor(() => {
    const span = collector.spans.find((one) => one.kind === 2 && pathOf(one)?.stringValue === path);
    if (span === undefined) throw new Error(`no span of ${path} yet`);
    return span;
  }, within);
const tracing = (collector: Collector, ratio: number) => ({
  traces: { endpoint: collector.url, headers: {}, ratio },
});

const billing = billingWith('0.000024');

test('one trace from the caller through a cold start to the instance, with what it cost', async () => {
  const [collector, echo] = await Promise.all([startCollector(), startEcho()]);
  const running = await startGateway([route([target([])])], { ...tracing(collector, 0), billing });
  try {
    const answer = ask(running, '/cold', traceparent('01'));
    const activation = await vi.waitFor(() => {
      const asked = running.control.reports.find(({ revisions }) => revisions[0]?.traceparent !== undefined);
      if (asked === undefined) throw new Error('no activation yet');
      return asked.revisions[0]?.traceparent;
    }, within);
    const upserts = [route([target([echo.port])])];
    running.control.change(upserts);
    expect(await answer).toBe(200);

    const server = await serverSpan(collector, '/cold');
    const mine = collector.spans.filter(({ traceId }) => traceId === TRACE);
    const [wait] = mine.filter(({ name }) => name === 'wait');
    const [upstream] = mine.filter(({ kind }) => kind === 3);
    expect(mine.map(({ name }) => name).sort()).toEqual(['GET', 'GET', 'connect', 'wait']);
    expect(server.parentSpanId).toBe(PARENT);
    expect([wait?.parentSpanId, upstream?.parentSpanId]).toEqual([server.spanId, server.spanId]);
    expect(echo.seen[0]?.headers['traceparent']).toBe(`00-${TRACE}-${upstream?.spanId}-01`);
    expect(activation).toBe(`00-${TRACE}-${wait?.spanId}-01`);
    const told = Object.fromEntries(server.attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
    expect(told).toMatchObject({ 'skyrun.service': 'hello', 'skyrun.cost.currency': 'USD' });
    expect(Number(told['skyrun.waited_ms'])).toBeGreaterThan(0);
    expect(Number(told['skyrun.cost.amount'])).toBeGreaterThan(0);
    expect(collector.resources[0]).toEqual({ 'service.name': 'gateway', 'service.instance.id': 'test' });
  } finally {
    await running.close();
    await Promise.all([collector.close(), echo.close()]);
  }
});

test('a caller who is not sampled stays so, and of new traces as many are kept as the ratio says', async () => {
  const [collector, echo] = await Promise.all([startCollector(), startEcho()]);
  const routes = [route([target([echo.port])])];
  const [none, all] = await Promise.all([
    startGateway(routes, tracing(collector, 0)),
    startGateway(routes, tracing(collector, 1)),
  ]);
  try {
    expect(await ask(none, '/new-none')).toBe(200);
    expect(await ask(all, '/unsampled', traceparent('00'))).toBe(200);
    expect(await ask(all, '/new-all')).toBe(200);
    // An answer of the gateway's own, to nobody's host.
    await exchangeRaw(all.port, ['GET /own HTTP/1.1\r\nHost: x.y.localhost\r\nConnection: close\r\n\r\n']);
    await serverSpan(collector, '/new-all');
    await serverSpan(collector, '/own');
    expect(new Set(collector.spans.flatMap((span) => pathOf(span)?.stringValue ?? []))).toEqual(
      new Set(['/new-all', '/own']),
    );
    const forwarded = Object.fromEntries(echo.seen.map(({ url, headers }) => [url, String(headers['traceparent'])]));
    expect(forwarded['/new-none']).toMatch(/-00$/);
    expect(forwarded['/unsampled']).toBe(`00-${TRACE}-${PARENT}-00`);
    expect(forwarded['/new-all']).toMatch(/-01$/);
  } finally {
    await Promise.all([none.close(), all.close()]);
    await Promise.all([collector.close(), echo.close()]);
  }
});

test('the attempt at an instance that did not begin its answer in time says that this was the bound', async () => {
  const instance = createServer(() => undefined);
  await new Promise<void>((resolve) => instance.listen(0, '127.0.0.1', resolve));
  const { port } = instance.address() as AddressInfo;
  const collector = await startCollector();
  const policy = servicePolicy.parse({ firstByteTimeoutMs: 50 });
  const running = await startGateway([{ ...route([target([port])]), policy }], tracing(collector, 1));
  try {
    expect(await ask(running, '/late')).toBe(504);
    const server = await serverSpan(collector, '/late');
    const attempt = collector.spans.find((span) => span.kind === 3 && span.parentSpanId === server.spanId);
    const type = attempt?.attributes.find(({ key }) => key === 'error.type')?.value;
    expect(type).toEqual({ stringValue: 'first_byte_timeout' });
  } finally {
    await running.close();
    await collector.close();
    instance.close();
    instance.closeAllConnections();
  }
});

test('requests notice nothing of a collector that does not answer', async () => {
  const [collector, echo] = await Promise.all([startCollector(), startEcho()]);
  collector.answer(500);
  const running = await startGateway([route([target([echo.port])])], tracing(collector, 1));
  try {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => ask(running, `/${index}`)));
    expect(new Set(answers)).toEqual(new Set([200]));
    const metrics = `http://127.0.0.1:${running.gateway.adminAddress().port}/metrics`;
    await vi.waitFor(async () => {
      expect(await (await fetch(metrics)).text()).toMatch(/skyrun_gateway_spans_dropped_total [1-9]/);
    }, within);
  } finally {
    await running.close();
    await Promise.all([collector.close(), echo.close()]);
  }
});
