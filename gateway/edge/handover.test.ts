import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect as connectHttp2, constants } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EchoInstance, startEcho } from '../harness/echo-instance.ts';
import { type RunningGateway, route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';

const HOST = 'hello.demo.localhost';
const PLAIN = `GET /plain HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n\r\n`;
/** As much of a handshake as a reader of HTTP needs to judge it. */
const HELLO = Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05, 0x01, 0x0d, 0x0a, 0x0d, 0x0a]);
let directory: string;
let running: RunningGateway;
let echo: EchoInstance;
let ca: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skyrun-handover-'));
  echo = await startEcho();
  running = await startGateway([route([target([echo.port])], HOST)], {
    // No port for TLS alone: whoever speaks it comes to the plain one.
    tls: {
      port: null,
      certificateDir: join(directory, 'tls'),
      developmentDir: join(directory, 'authority'),
      acme: null,
    },
  });
  ca = await readFile(join(directory, 'authority', 'ca.crt'), 'utf8');
});
afterAll(async () => {
  await running.close();
  await echo.close();
  await rm(directory, { recursive: true, force: true });
});

const overTls = (socket?: Duplex) =>
  new Promise<number>((resolve, reject) => {
    const options = { ca, servername: HOST, host: '127.0.0.1', port: running.port };
    httpsRequest(
      {
        ...options,
        headers: { host: HOST },
        agent: false,
        ...(socket === undefined ? {} : { createConnection: () => connectTls({ ca, servername: HOST, socket }) }),
      },
      (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      },
    )
      .once('error', reject)
      .end();
  });

async function openConnections(): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${running.gateway.adminAddress().port}/metrics`);
  return Number(/^skyrun_gateway_connections (\d+)$/m.exec(await response.text())?.[1]);
}

/** A socket that sends its first bytes one at a time, each in a packet of its own. */
function slowly(socket: Socket, bytes: number): Duplex {
  let left = bytes;
  const send = (chunk: Buffer, done: () => void): void => {
    if (left <= 0 || chunk.length <= 1) {
      left -= chunk.length;
      socket.write(chunk, () => done());
      return;
    }
    left -= 1;
    socket.write(chunk.subarray(0, 1), () => setTimeout(() => send(chunk.subarray(1), done), 5));
  };
  const duplex = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, done) => send(chunk, done),
    final: (done) => {
      socket.end(done);
    },
    destroy: (error, done) => {
      socket.destroy();
      done(error);
    },
  });
  socket.on('data', (chunk) => duplex.push(chunk));
  socket.on('end', () => duplex.push(null));
  return duplex;
}

test('the plain port takes HTTP and TLS side by side, the latter as https', async () => {
  echo.reset();
  const [plain, secure] = await Promise.all([exchangeRaw(running.port, [PLAIN]), overTls()]);
  expect([statusOf(plain.text), secure]).toEqual([200, 200]);
  const protocols = echo.seen.map(({ url, headers }) => [url, headers['x-forwarded-proto']]);
  expect(Object.fromEntries(protocols)).toEqual({ '/plain': 'http', '/': 'https' });
  expect(() => running.gateway.tlsAddress()).toThrow('no encrypted port');
});

test('HTTP/2 is agreed upon there as on the port for TLS', async () => {
  const session = connectHttp2(`https://${HOST}:${running.port}`, {
    createConnection: () =>
      connectTls({ ca, servername: HOST, host: '127.0.0.1', port: running.port, ALPNProtocols: ['h2'] }),
  });
  try {
    const status = await new Promise((resolve, reject) => {
      session.once('error', reject);
      const stream = session.request({ ':path': '/h2' });
      stream.once('response', (headers) => resolve(headers[constants.HTTP2_HEADER_STATUS]));
      stream.resume();
    });
    expect(status).toBe(200);
  } finally {
    session.close();
  }
});

test('a handshake that comes byte by byte is one all the same', async () => {
  const socket = connect({ host: '127.0.0.1', port: running.port, noDelay: true });
  expect(await overTls(slowly(socket, 12))).toBe(200);
  socket.destroy();
});

test('what only begins like TLS ends, and the next client is answered', async () => {
  const noise = Buffer.concat([Buffer.from([0x16, 0x03, 0x01, 0x00, 0x05]), Buffer.from('noise')]);
  const { ended } = await exchangeRaw(running.port, [noise], { waitMs: 10_000 });
  expect(ended).not.toBe('open');
  expect(statusOf((await exchangeRaw(running.port, [PLAIN])).text)).toBe(200);
});

test('TLS later on a connection that began in plain is malformed, not a handshake', async () => {
  const first = `GET /one HTTP/1.1\r\nHost: ${HOST}\r\n\r\n`;
  const { text } = await exchangeRaw(running.port, [first, HELLO]);
  expect(text.match(/HTTP\/1\.1 \d{3}/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
});

test('a gateway without certificates refuses it like any other noise', async () => {
  const without = await startGateway([route([target([echo.port])], HOST)]);
  try {
    const { text, ended } = await exchangeRaw(without.port, [HELLO]);
    expect(statusOf(text)).toBe(400);
    expect(ended).not.toBe('open');
  } finally {
    await without.close();
  }
});

test('a gateway that stops lets a request over a handed-over connection end', async () => {
  const own = await mkdtemp(join(tmpdir(), 'skyrun-handover-'));
  const upstream = await startEcho();
  let release: () => void = () => undefined;
  upstream.server.prependListener('request', (request, response) => {
    if (request.url !== '/slow') return;
    const write = response.end.bind(response);
    release = () => write('{}');
    response.end = () => response;
  });
  const stopping = await startGateway([route([target([upstream.port])], HOST)], {
    tls: { port: null, certificateDir: join(own, 'tls'), developmentDir: join(own, 'authority'), acme: null },
  });
  try {
    const trust = await readFile(join(own, 'authority', 'ca.crt'), 'utf8');
    const options = { ca: trust, servername: HOST, host: '127.0.0.1', port: stopping.port, path: '/slow' };
    const answer = new Promise<number>((resolve, reject) => {
      httpsRequest({ ...options, headers: { host: HOST }, agent: false }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode ?? 0));
      })
        .once('error', reject)
        .end();
    });
    await expect.poll(() => upstream.seen.length, { timeout: 15_000 }).toBe(1);
    const stopped = stopping.gateway.stop();
    release();
    expect(await answer).toBe(200);
    await stopped;
  } finally {
    await stopping.close();
    await upstream.close();
    await rm(own, { recursive: true, force: true });
  }
});

test.each([
  ['asks', true],
  ['has asked nothing', false],
])('a client of HTTP/2 that %s and ends its connection leaves nothing open here', async (_name, asks) => {
  for (let round = 0; round < 5; round += 1) {
    const socket = connectTls({
      ca,
      servername: HOST,
      host: '127.0.0.1',
      port: running.port,
      ALPNProtocols: ['h2'],
    });
    const session = connectHttp2(`https://${HOST}:${running.port}`, { createConnection: () => socket });
    session.on('error', () => undefined);
    await once(session, 'remoteSettings');
    if (asks) {
      const stream = session.request({ ':path': '/h2', ':method': 'POST' });
      stream.end('payload');
      await once(stream.resume(), 'end');
    }
    // As curl does: close_notify and the end of the connection, without a GOAWAY.
    socket.end();
  }
  await expect.poll(openConnections, { timeout: 20_000 }).toBe(0);
});
