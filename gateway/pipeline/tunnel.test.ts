import { randomBytes } from 'node:crypto';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';
import { startUpstream } from '../harness/upstream.ts';

async function startEchoSocket() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  server.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  return { server, port: (server.address() as AddressInfo).port };
}

function open(port: number): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat`, { headers: { host: 'hello.demo.localhost' } });
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve(socket));
    socket.once('error', reject);
  });
}

test('WebSocket frames of every size come back as they went, and the close goes through', async () => {
  const { server, port } = await startEchoSocket();
  const running = await startGateway([route([target([port])])]);
  try {
    const socket = await open(running.port);
    for (const size of [0, 1, 125, 126, 127, 65_535, 65_536, 70_000, 1_000_000]) {
      const data = randomBytes(size);
      const echoed = new Promise<Buffer>((resolve) => {
        socket.once('message', (message) => resolve(message as Buffer));
      });
      socket.send(data);
      expect(data.equals(await echoed)).toBe(true);
    }
    const closed = new Promise<number>((resolve) => {
      socket.once('close', resolve);
    });
    socket.close(4001, 'done');
    expect(await closed).toBe(4001);
  } finally {
    await running.close();
    server.close();
  }
});

test('a gateway that stops lets tunnels go on until its drain bound, and cuts them then', async () => {
  const { server, port } = await startEchoSocket();
  const running = await startGateway([route([target([port])])], { limits: { drainMs: 700 } });
  try {
    const socket = await open(running.port);
    const begun = performance.now();
    const stopped = running.gateway.stop();
    const closed = new Promise((resolve) => socket.once('close', resolve));
    const echoed = new Promise((resolve) => {
      socket.once('message', (data) => resolve(String(data)));
    });
    socket.send('still here');
    expect(await Promise.race([echoed, closed])).toBe('still here');
    await closed;
    expect(performance.now() - begun).toBeGreaterThan(690);
    await stopped;
  } finally {
    await running.close();
    server.close();
  }
});

test('a tunnel ends at both sides when either ends, and is metered as busy', async () => {
  const { server, port } = await startEchoSocket();
  const running = await startGateway([route([target([port])])]);
  try {
    const first = await open(running.port);
    const atServer = [...server.clients][0];
    const gone = new Promise((resolve) => atServer?.once('close', resolve));
    first.terminate();
    await gone;
    const second = await open(running.port);
    const closed = new Promise((resolve) => second.once('close', resolve));
    for (const client of server.clients) client.terminate();
    await closed;
    await running.gateway.stop();
    const usage = running.published.flatMap((event) => (event.type === 'skyrun.usage.recorded.v1' ? [event.data] : []));
    expect(usage.reduce((sum, one) => sum + one.statusClasses['1xx'], 0)).toBe(2);
    expect(usage.reduce((sum, one) => sum + one.busyMs, 0)).toBeGreaterThan(0);
  } finally {
    await running.close();
    server.close();
  }
});

const UPGRADE =
  'GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
  'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n';

test.each([
  ['a wrong proof', 'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: bm90IGl0\r\n', 502],
  ['another protocol', 'Upgrade: chat\r\nConnection: Upgrade\r\n', 502],
  ['no protocol', '', 502],
  [
    'the right one',
    'Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n',
    101,
  ],
])('a 101 with %s: %#', async (_, fields, status) => {
  const upstream = await startUpstream(({ socket }) =>
    socket.write(`HTTP/1.1 101 Switching Protocols\r\n${fields}\r\n`),
  );
  const running = await startGateway([route([target([upstream.port])])]);
  try {
    const { text } = await exchangeRaw(running.port, [UPGRADE], { until: (got) => got.includes('\r\n\r\n') });
    expect(statusOf(text)).toBe(status);
  } finally {
    await running.close();
    await upstream.close();
  }
});

test('an upgrade that the instance declines is an ordinary response', async () => {
  const upstream = await startUpstream(({ socket }) =>
    socket.write('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno'),
  );
  const running = await startGateway([route([target([upstream.port])])]);
  try {
    const { text } = await exchangeRaw(running.port, [UPGRADE], { until: (got) => got.endsWith('no') });
    expect(statusOf(text)).toBe(426);
  } finally {
    await running.close();
    await upstream.close();
  }
});
