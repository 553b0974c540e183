import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { servicePolicy } from '@skyrun/contracts';
import { expect, test, vi } from 'vitest';
import { route, startGateway, target } from '../harness/gateway.ts';
import { billingWith } from '../harness/unit-prices.ts';

test('a caller who asks is told what the request cost, where the service lets it be told', async () => {
  const instance = createServer((_, response) => {
    setTimeout(() => response.end('done'), 130);
  });
  await new Promise<void>((resolve) => instance.listen(0, '127.0.0.1', resolve));
  const { port } = instance.address() as AddressInfo;
  const open = { ...route([target([port])], 'open.demo.localhost'), policy: servicePolicy.parse({ showCost: true }) };
  const closed = {
    ...route([target([port], { revisionId: 'rev_01890000-0000-7000-8000-0000000000c1' })], 'closed.demo.localhost'),
  };
  const running = await startGateway([open, closed], { billing: billingWith('0.000024') });
  const ask = async (host: string, headers: Record<string, string>) => {
    const { request } = await import('node:http');
    return new Promise<string | string[] | undefined>((resolve, reject) => {
      request({ host: '127.0.0.1', port: running.port, headers: { host, ...headers }, agent: false }, (response) => {
        response.resume().on('end', () => resolve(response.headers['skyrun-cost']));
      })
        .on('error', reject)
        .end();
    });
  };
  try {
    const told = await vi.waitFor(
      async () => {
        const value = await ask('open.demo.localhost', { 'skyrun-cost': '1' });
        expect(value).toBeDefined();
        return String(value);
      },
      { timeout: 10_000 },
    );
    const match = /^(\S+) USD; until=head; ms=(\d+); per-100ms=0\.000002525$/.exec(told);
    const ms = Number(match?.[2]);
    expect(ms, told).toBeGreaterThanOrEqual(129);
    // 1 vCPU and 512 MiB for every begun 100 ms, and 0.40 for a million requests.
    expect(Number(match?.[1])).toBeCloseTo(Math.ceil(ms / 100) * 0.000002525 + 0.0000004, 12);
    expect(await ask('open.demo.localhost', {})).toBeUndefined();
    expect(await ask('closed.demo.localhost', { 'skyrun-cost': '1' })).toBeUndefined();
  } finally {
    await running.close();
    instance.closeAllConnections();
    await new Promise((resolve) => instance.close(resolve));
  }
});
