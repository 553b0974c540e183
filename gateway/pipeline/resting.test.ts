import { connect } from 'node:net';
import { expect, test, vi } from 'vitest';
import { startEcho } from '../harness/echo-instance.ts';
import { route, startGateway, target } from '../harness/gateway.ts';
import { ReaderPool } from './reader-pool.ts';

const HEAD = 'Host: hello.demo.localhost\r\n';
const TIMEOUT = { timeout: 20_000 };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a connection that rests gives its reader back, and the next request is read all the same', async () => {
  const echo = await startEcho();
  const running = await startGateway([route([target([echo.port])])], { limits: { restMs: 20 } });
  const given = vi.spyOn(ReaderPool.prototype, 'put');
  const taken = vi.spyOn(ReaderPool.prototype, 'take');
  const socket = connect({ port: running.port, host: '127.0.0.1', noDelay: true });
  try {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    const answers = () => [...text.matchAll(/HTTP\/1\.1 200 /g)].length;
    expect(taken).not.toHaveBeenCalled();
    for (const round of [1, 2]) {
      socket.write(`POST /${round} HTTP/1.1\r\n${HEAD}Content-Length: 3\r\n\r\nabc`);
      await expect.poll(answers, TIMEOUT).toBe(round);
      await expect.poll(() => given.mock.calls.length, TIMEOUT).toBe(round);
      expect(taken).toHaveBeenCalledTimes(round);
    }
    expect(socket.destroyed).toBe(false);
  } finally {
    socket.destroy();
    given.mockRestore();
    taken.mockRestore();
    await running.close();
    await echo.close();
  }
});

test('a head or a body that pauses for longer goes on where it was', async () => {
  const echo = await startEcho();
  const running = await startGateway([route([target([echo.port])])], { limits: { restMs: 20 } });
  const given = vi.spyOn(ReaderPool.prototype, 'put');
  const socket = connect({ port: running.port, host: '127.0.0.1', noDelay: true });
  try {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    const pieces = [
      `POST / HT`,
      `TP/1.1\r\n${HEAD}Transfer-Encoding: chunk`,
      'ed\r\n\r\n5\r\nab',
      'cde\r\n0\r',
      '\n\r\n',
    ];
    for (const piece of pieces) {
      expect(given).not.toHaveBeenCalled();
      socket.write(piece);
      // Sweeps come every 100 ms.
      await pause(250);
    }
    await expect.poll(() => text, TIMEOUT).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n/);
    await expect.poll(() => given.mock.calls.length, TIMEOUT).toBe(1);
  } finally {
    socket.destroy();
    given.mockRestore();
    await running.close();
    await echo.close();
  }
});
