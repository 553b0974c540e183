import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test, vi } from 'vitest';
import { route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';

/** More than a request is repeated. */
const KEPT = 5;

/** Holds what asks for /hold until it is released. `dying`: it breaks each connection at its next request. */
async function startInstance() {
  const held: ServerResponse[] = [];
  const state = { dying: false, broken: 0 };
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    if (state.dying) {
      state.broken += 1;
      request.socket.destroy();
    } else if (request.url === '/hold') held.push(response);
    else response.end('ok');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    held,
    state,
    release() {
      for (const response of held.splice(0)) response.end('ok');
    },
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

test('an instance that died with kept connections and looks the least busy does not get every try of a GET', async () => {
  const [dying, busy] = await Promise.all([startInstance(), startInstance()]);
  const running = await startGateway([route([target([dying.port, busy.port])])]);
  let answered = 0;
  const get = async (path: string) => {
    const head = `GET ${path} HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: close\r\n\r\n`;
    const { text } = await exchangeRaw(running.port, [head], { waitMs: 20_000 });
    answered += 1;
    return statusOf(text);
  };
  try {
    const warm = Array.from({ length: 2 * KEPT }, () => get('/hold'));
    await vi.waitFor(() => expect([dying.held.length, busy.held.length]).toEqual([KEPT, KEPT]), { timeout: 10_000 });
    // From here on the other always has more requests in flight.
    dying.release();
    await vi.waitFor(() => expect(answered).toBe(KEPT), { timeout: 10_000 });
    dying.state.dying = true;
    expect(await get('/')).toBe(200);
    expect(dying.state.broken).toBe(1);
    busy.release();
    await Promise.all(warm);
  } finally {
    await running.close();
    await Promise.all([dying.close(), busy.close()]);
  }
});
