import { type AddressInfo, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';

const HEAD = 'Host: hello.demo.localhost\r\n';
const ANSWER = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('a stale pooled connection: a request that may be repeated is, one that may not is 502', async () => {
  let answers = 0;
  const server = createServer((socket: Socket) => {
    let count = 0;
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {
      count += 1;
      // The second request on a connection is met by its end, as when an idle timeout and a request cross.
      if (count === 2) socket.destroy();
      else {
        answers += 1;
        socket.write(ANSWER);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const running = await startGateway([route([target([(server.address() as AddressInfo).port])])]);
  const send = (method: string) =>
    exchangeRaw(running.port, [`${method} / HTTP/1.1\r\n${HEAD}Connection: close\r\nContent-Length: 0\r\n\r\n`]);
  try {
    expect(statusOf((await send('GET')).text)).toBe(200);
    expect(statusOf((await send('GET')).text)).toBe(200);
    expect(statusOf((await send('POST')).text)).toBe(502);
    expect(answers).toBe(2);
  } finally {
    await running.close();
    server.close();
  }
});

test('an instance that closed all its idle connections costs a request one repeat, not one for each', async () => {
  const IDLE = 6;
  let opened = 0;
  let ended = 0;
  const server = createServer((socket: Socket) => {
    opened += 1;
    const old = opened <= IDLE;
    let count = 0;
    socket.on('error', () => socket.destroy());
    socket.on('data', () => {
      count += 1;
      if (old && count === 2) {
        ended += 1;
        socket.destroy();
      } else if (!old) socket.write(ANSWER);
      // So that as many connections are open as there are requests.
      else setTimeout(() => socket.write(ANSWER), 100);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const running = await startGateway([route([target([(server.address() as AddressInfo).port])])]);
  const send = () => exchangeRaw(running.port, [`GET / HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`]);
  try {
    const first = await Promise.all(Array.from({ length: IDLE }, send));
    expect(first.map(({ text }) => statusOf(text))).toEqual(Array(IDLE).fill(200));
    expect(opened).toBe(IDLE);
    expect(statusOf((await send()).text)).toBe(200);
    expect(ended).toBe(1);
  } finally {
    await running.close();
    server.close();
  }
});
