import { connect } from 'node:net';
import { expect, test, vi } from 'vitest';
import { startEcho } from '../harness/echo-instance.ts';
import { route, startGateway, target } from '../harness/gateway.ts';
import { ReaderPool } from './reader-pool.ts';

const HEAD = 'Host: hello.demo.localhost\r\n';
const TIMEOUT = { timeout: 20_000 };
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

test('a connection that rests lets go of what it knows, and the next request is read all the same', async () => {
  const echo = await startEcho();
  const running = await startGateway([route([target([echo.port])])], { limits: { restMs: 20 } });
  const left = vi.spyOn(ReaderPool.prototype, 'leave');
  const entered = vi.spyOn(ReaderPool.prototype, 'enter');
  const socket = connect({ port: running.port, host: '127.0.0.1', noDelay: true });
  try {
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    const answers = () => [...text.matchAll(/HTTP\/1\.1 200 /g)].length;
    expect(entered).not.toHaveBeenCalled();
    for (const round of [1, 2]) {
      socket.write(`POST /${round} HTTP/1.1\r\n${HEAD}Content-Length: 3\r\n\r\nabc`);
      await expect.poll(answers, TIMEOUT).toBe(round);
      await expect.poll(() => left.mock.calls.length, TIMEOUT).toBe(round);
      expect(entered).toHaveBeenCalledTimes(round);
    }
    expect(socket.destroyed).toBe(false);
  } finally {
    socket.destroy();
    left.mockRestore();
    entered.mockRestore();
    await running.close();
    await echo.close();
  }
});

test('a head or a body that pauses for longer goes on where it was', async () => {
  const echo = await startEcho();
  const running = await startGateway([route([target([echo.port])])], { limits: { restMs: 20 } });
  const left = vi.spyOn(ReaderPool.prototype, 'leave');
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
      expect(left).not.toHaveBeenCalled();
      socket.write(piece);
      // Sweeps come every 100 ms.
      await pause(250);
    }
    await expect.poll(() => text, TIMEOUT).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\n/);
    await expect.poll(() => left.mock.calls.length, TIMEOUT).toBe(1);
  } finally {
    socket.destroy();
    left.mockRestore();
    await running.close();
    await echo.close();
  }
});
