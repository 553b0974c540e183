import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunningGateway, route, startGateway, target } from '../harness/gateway.ts';
import { judgeResponse } from '../harness/judge-response.ts';
import { exchangeRaw } from '../harness/raw-client.ts';
import { type RecordingUpstream, startUpstream } from '../harness/upstream.ts';
import { RESPONSE_CASES, type ResponseCase } from './response-cases.ts';

let upstream: RecordingUpstream;
let running: RunningGateway;
let current: ResponseCase | null = null;
let bytewise = false;

beforeAll(async () => {
  upstream = await startUpstream(({ socket }, chunk) => {
    const request = chunk.toString('latin1');
    if (request.includes('/clean')) {
      const mark = /x-mark: (\d+)/i.exec(request)?.[1] ?? '';
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${mark.length}\r\n\r\n${mark}`);
      return;
    }
    const { bytes = '', ends = false } = current ?? {};
    const pieces = bytewise ? Array.from(bytes) : [bytes];
    const send = (index: number) => {
      const piece = pieces[index];
      if (socket.destroyed) return;
      if (piece === undefined) {
        if (ends) socket.end();
        return;
      }
      socket.write(Buffer.from(piece, 'latin1'), () => setImmediate(() => send(index + 1)));
    };
    send(0);
  });
  running = await startGateway([route([target([upstream.port])])]);
});
afterAll(async () => {
  await running.close();
  await upstream.close();
});

async function run(one: ResponseCase) {
  current = one;
  const { method = 'GET' } = one;
  const answer = await exchangeRaw(running.port, [
    `${method} /case HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: close\r\n\r\n`,
  ]);
  expect(judgeResponse(one, answer)).toBeNull();
}

test.each(RESPONSE_CASES)('$name', async (one) => {
  bytewise = false;
  await run(one);
  // The next request must get its own response, whatever stayed in a connection.
  const mark = Math.floor(Math.random() * 1e9);
  const clean = await exchangeRaw(running.port, [
    `GET /clean HTTP/1.1\r\nHost: hello.demo.localhost\r\nX-Mark: ${mark}\r\nConnection: close\r\n\r\n`,
  ]);
  expect(clean.text.endsWith(`\r\n\r\n${mark}`)).toBe(true);
});

test.each(RESPONSE_CASES.filter((one) => one.bytes.length < 300 && one.name !== 'bad first chunk'))(
  'byte by byte: $name',
  async (one) => {
    bytewise = true;
    await run(one);
  },
);

test('an HTTP/1.0 client gets a chunked response without its chunks, and the end of the connection', async () => {
  bytewise = false;
  current = {
    name: '',
    bytes: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n',
    expected: { kind: 'bad' },
  };
  const answer = await exchangeRaw(running.port, ['GET /case HTTP/1.0\r\nHost: hello.demo.localhost\r\n\r\n']);
  expect(answer.ended).toBe('end');
  expect(answer.text).not.toMatch(/transfer-encoding/i);
  expect(answer.text.endsWith('\r\n\r\nabcde')).toBe(true);
});

test('hop-by-hop fields and what Connection names stay on their side, both ways', async () => {
  bytewise = false;
  current = {
    name: '',
    bytes:
      'HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: x-inner, keep-alive\r\nX-Inner: 1\r\nKeep-Alive: timeout=5\r\nX-Outer: 2\r\n\r\n',
    expected: { kind: 'bad' },
  };
  const before = upstream.received().length;
  const answer = await exchangeRaw(running.port, [
    'GET /case HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: close, x-secret\r\nX-Secret: 1\r\nTE: trailers\r\nKeep-Alive: 3\r\nProxy-Connection: x\r\nX-Kept: 2\r\nX-Forwarded-Proto: https\r\nX-Forwarded-For: 9.9.9.9\r\n\r\n',
  ]);
  expect(answer.text).toMatch(/X-Outer: 2\r\n/);
  expect(answer.text).not.toMatch(/x-inner|keep-alive/i);
  const sent = upstream.received().slice(before);
  expect(sent).toMatch(/X-Kept: 2\r\n/);
  expect(sent).not.toMatch(/x-secret|^te:|keep-alive|proxy-connection|https/im);
  expect(sent).toContain('X-Forwarded-For: 9.9.9.9, 127.0.0.1\r\n');
});
