import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, createServer as createSocketServer } from 'node:net';
import { ManualClock } from '@skyrun/kit';
import { systemClock as clock, type Transport, type TransportRequest } from '@skyrun/kit/base';
import { afterEach, expect, test } from 'vitest';
import { createCallTransport } from './call-transport.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

const otherwise: Transport = () => Promise.reject(new Error('not for this transport'));
const transport = () => createCallTransport({ clock, otherwise });
const get: TransportRequest = { method: 'GET', headers: {} };

async function serve(listener: RequestListener): Promise<{ server: Server; url: string }> {
  const server = createServer(listener);
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

/** Answers whatever comes with these bytes, and ends the connection where told to. */
async function serveBytes(bytes: string, end = false): Promise<string> {
  const server = createSocketServer((socket) => {
    socket.on('error', () => undefined);
    socket.once('data', () => (end ? socket.end(bytes, 'latin1') : socket.write(bytes, 'latin1')));
  });
  closing.push(() => new Promise((resolve) => void server.close(() => resolve())));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

async function bodyOf(request: Parameters<RequestListener>[0]): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

test('method, target, fields and body go out; status, fields and body come back', async () => {
  const seen: unknown[] = [];
  const { url } = await serve(async (request, response) => {
    const { host, authorization, 'content-length': length } = request.headers;
    seen.push([request.method, request.url, host, authorization, length]);
    const body = await bodyOf(request);
    response.writeHead(201, { 'retry-after': '7' }).end(body);
  });
  const call = transport();
  for (const body of ['plain', 'größer – 量', '']) {
    const answer = await call(`${url}/a?b=c`, { method: 'POST', headers: { authorization: 'Bearer x' }, body });
    expect(answer.status).toBe(201);
    expect(answer.headers.get('Retry-After')).toBe('7');
    expect(answer.headers.get('x-absent')).toBeNull();
    expect(await answer.text()).toBe(body);
  }
  const host = url.slice('http://'.length);
  expect(seen).toEqual([
    ['POST', '/a?b=c', host, 'Bearer x', '5'],
    ['POST', '/a?b=c', host, 'Bearer x', '16'],
    ['POST', '/a?b=c', host, 'Bearer x', '0'],
  ]);
});

test('calls one after the other share a connection, calls at once do not', async () => {
  const ports = new Set<number | undefined>();
  const waiting: (() => void)[] = [];
  let together = 1;
  const { url } = await serve((request, response) => {
    ports.add(request.socket.remotePort);
    waiting.push(() => response.end('ok'));
    if (waiting.length === together) for (const answer of waiting.splice(0)) answer();
  });
  const call = transport();
  for (let count = 0; count < 5; count += 1) await call(url, get);
  expect(ports.size).toBe(1);
  together = 4;
  const answers = await Promise.all(Array.from({ length: 4 }, () => call(url, get)));
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual(['ok', 'ok', 'ok', 'ok']);
  expect(ports.size).toBe(4);
});

test('a long answer in chunks is whole, also where a character lies across two of them', async () => {
  const text = 'ä€𝄞'.repeat(50_000);
  const { url } = await serve((_request, response) => {
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += 999) response.write(bytes.subarray(at, at + 999));
    response.end();
  });
  const call = transport();
  const answer = await call(url, get);
  expect(await answer.text()).toBe(text);
  const pieces: Uint8Array[] = [];
  for await (const piece of (await call(url, get)).chunks()) pieces.push(piece);
  expect(Buffer.concat(pieces).toString()).toBe(text);
});

test('what may not be done twice takes no connection that was idle for long', async () => {
  const time = new ManualClock();
  const ports: (number | undefined)[] = [];
  const { server, url } = await serve((request, response) => {
    ports.push(request.socket.remotePort);
    response.end('ok');
  });
  // Then it does not say for how long it keeps a connection.
  server.keepAliveTimeout = 0;
  const call = createCallTransport({ clock: time, otherwise });
  for (const method of ['GET', 'GET', 'POST', 'POST']) {
    await call(url, { method, headers: {}, body: '' });
    if (ports.length < 3) await time.advance(5000);
  }
  const [first, , third] = ports;
  expect(third).not.toBe(first);
  expect(ports).toEqual([first, first, third, third]);
});

test('a service that says nothing is given up after half a minute', async () => {
  const time = new ManualClock();
  let asked: () => void = () => undefined;
  const reached = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const { url } = await serve(() => asked());
  const answer = createCallTransport({ clock: time, otherwise })(url, get);
  const outcome = answer.then(
    () => 'answered',
    (error: Error) => error.message,
  );
  await reached;
  await time.advance(29_999);
  expect(await Promise.race([outcome, 'waits'])).toBe('waits');
  await time.advance(1);
  expect(await outcome).toBe('no whole answer came in time');
});

test('an idle connection that the service has closed costs what may be done twice nothing', async () => {
  const { server, url } = await serve((_request, response) => response.end('ok'));
  const call = transport();
  for (const method of ['GET', 'PUT', 'GET']) {
    expect((await call(url, { method, headers: {}, ...(method === 'PUT' ? { body: '{}' } : {}) })).status).toBe(200);
    server.closeAllConnections();
  }
});

test('a connection that closes while it is asked again and again is an error', async () => {
  let answered = 0;
  const { url } = await serve((request, response) => {
    if (answered < 1) response.end('ok');
    else request.socket.destroy();
    answered += 1;
  });
  const call = transport();
  await call(url, get);
  await expect(call(url, get)).rejects.toThrow();
  expect(answered).toBe(3);
});

test('who gives up hears why, before the connection and while waiting', async () => {
  const { url } = await serve(() => undefined);
  const call = transport();
  await expect(call(url, { ...get, signal: AbortSignal.abort(new Error('gave up')) })).rejects.toThrow('gave up');
  const waits = new AbortController();
  const asked = call(url, { ...get, signal: waits.signal });
  setTimeout(() => waits.abort(new Error('gave up later')), 20);
  await expect(asked).rejects.toThrow('gave up later');
});

test.each([
  ['breaks off', 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf', true],
  ['is not HTTP', 'hello\r\n\r\n', false],
  ['has two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab', false],
  ['changes the protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n', false],
])('an answer that %s is an error', async (_, bytes, end) => {
  await expect(transport()(await serveBytes(bytes, end), get)).rejects.toThrow();
});

test('an answer that ends with its connection is whole', async () => {
  const answer = await transport()(await serveBytes('HTTP/1.1 200 OK\r\n\r\nall of it', true), get);
  expect(await answer.text()).toBe('all of it');
});

test('nobody there is an error', async () => {
  const { server, url } = await serve(() => undefined);
  await new Promise((resolve) => server.close(resolve));
  await expect(transport()(url, get)).rejects.toThrow('ECONNREFUSED');
});

test('a field that would end its line is refused and not sent', async () => {
  let asked = 0;
  const { url } = await serve((_request, response) => {
    asked += 1;
    response.end();
  });
  const headers = { 'x-name': 'one\r\nx-other: two' };
  await expect(transport()(url, { method: 'GET', headers })).rejects.toThrow('the header x-name');
  expect(asked).toBe(0);
});

test('what it does not take goes the other way', async () => {
  const others: string[] = [];
  const call = createCallTransport({
    clock,
    otherwise: (url) => {
      others.push(url);
      return otherwise(url, get);
    },
  });
  const lines = { accept: 'application/x-ndjson' };
  await expect(call('https://somewhere/', get)).rejects.toThrow('not for this');
  await expect(call('http://somewhere/', { method: 'GET', headers: lines })).rejects.toThrow('not for this');
  expect(others).toEqual(['https://somewhere/', 'http://somewhere/']);
});
