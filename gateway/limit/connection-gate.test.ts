import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { startEcho } from '../harness/echo-instance.ts';
import { route, target } from '../harness/gateway.ts';
import { startTlsGateway } from '../harness/tls-gateway.ts';

const within = { timeout: 10_000 };

/** Whether the gateway keeps it, or closes it at once. */
async function kept(socket: Socket, request = ''): Promise<boolean> {
  return await new Promise((resolve) => {
    socket.once('data', () => resolve(true));
    socket.once('close', () => resolve(false));
    socket.once('error', () => socket.destroy());
    socket.write(request);
  });
}
const REQUEST = 'GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\n\r\n';

test('connections beyond the cap of an address are closed, whatever they speak, and others take their place', async () => {
  const echo = await startEcho();
  const edge = await startTlsGateway([route([target([echo.port])])], { caps: { total: 0, perAddress: 3 } });
  const plain = (localAddress = '127.0.0.1') => connect({ port: edge.port, host: '127.0.0.1', localAddress });
  const tls = (port: number) =>
    connectTls({
      port,
      host: '127.0.0.1',
      servername: 'hello.demo.localhost',
      ca: edge.ca,
      ALPNProtocols: ['http/1.1'],
    });
  const open: Socket[] = [];
  const add = (socket: Socket) => {
    open.push(socket);
    return socket;
  };
  try {
    expect(await kept(add(plain()), REQUEST)).toBe(true);
    expect(await kept(add(tls(edge.tlsPort)), REQUEST)).toBe(true);
    // On the plain port, and counted once although it is handed over.
    expect(await kept(add(tls(edge.port)), REQUEST)).toBe(true);
    expect(await kept(add(plain()), REQUEST)).toBe(false);
    expect(await kept(add(tls(edge.tlsPort)), REQUEST)).toBe(false);
    expect(await kept(add(plain('127.0.0.2')), REQUEST)).toBe(true);
    open[0]?.destroy();
    await expect.poll(async () => await kept(add(plain()), REQUEST), within).toBe(true);
    expect(await kept(add(plain()), REQUEST)).toBe(false);
  } finally {
    for (const socket of open) socket.destroy();
    await edge.close();
    await echo.close();
  }
});

test('a cap of all connections holds for every address together', async () => {
  const echo = await startEcho();
  const edge = await startTlsGateway([route([target([echo.port])])], { caps: { total: 2, perAddress: 0 } });
  const sockets = ['127.0.0.1', '127.0.0.2', '127.0.0.3'].map((localAddress) =>
    connect({ port: edge.port, host: '127.0.0.1', localAddress }),
  );
  try {
    const answers = await Promise.all(sockets.map((socket) => kept(socket, REQUEST)));
    expect(answers.filter((answered) => answered)).toHaveLength(2);
    sockets[answers.indexOf(true)]?.destroy();
    const next = async () => {
      const socket = connect({ port: edge.port, host: '127.0.0.1' });
      sockets.push(socket);
      return await kept(socket, REQUEST);
    };
    await expect.poll(next, within).toBe(true);
    expect(await next()).toBe(false);
  } finally {
    for (const socket of sockets) socket.destroy();
    await edge.close();
    await echo.close();
  }
});
