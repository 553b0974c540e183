import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo, LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PeerCertificate, connect as tlsConnect } from 'node:tls';
import { systemClock } from '@skyrun/kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type RunningGateway, route, startGateway, target } from '../harness/gateway.ts';
import { openDevelopmentAuthority } from './development-authority.ts';

const HOST = 'hello.demo.localhost';
let directory: string;
let running: RunningGateway;
let instance: Awaited<ReturnType<typeof startInstance>>;
let ca: string;
let port: number;

async function startInstance(listener: RequestListener) {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    server,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  return Buffer.concat(pieces);
}

const aborted: string[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skyrun-edge-'));
  instance = await startInstance(async (request, response) => {
    const path = request.url ?? '';
    if (path === '/echo') {
      const body = await readAll(request);
      response.writeHead(200, { 'content-length': body.length, 'x-framing': framing(request) });
      response.end(body);
    } else if (path === '/headers') {
      response.setHeader('set-cookie', ['a=1', 'b=2']);
      response.end(JSON.stringify({ version: request.httpVersion, headers: request.headers }));
    } else if (path === '/trailers') {
      response.writeHead(200, { trailer: 'x-sum' });
      response.write('content');
      response.addTrailers({ 'x-sum': '42' });
      response.end();
    } else if (path === '/large') {
      response.writeHead(200);
      for (let piece = 0; piece < 64; piece += 1) response.write(Buffer.alloc(65_536, piece));
      response.end();
    } else if (path === '/cut') {
      response.writeHead(200, { 'content-length': 1000 });
      response.write('too little');
      setTimeout(() => response.destroy(), 20);
    } else if (path.startsWith('/slow')) {
      response.on('close', () => {
        if (!response.writableFinished) aborted.push(path);
      });
    } else if (path === '/empty') response.writeHead(204).end();
    else response.end('ok');
  });
  running = await startGateway([route([target([instance.port])], HOST)], {
    tls: {
      port: 0,
      certificateDir: join(directory, 'certificates'),
      developmentDir: join(directory, 'development'),
      acme: null,
    },
  });
  port = running.gateway.tlsAddress().port;
  ca = await readFile(join(directory, 'development/ca.crt'), 'utf8');
});

afterAll(async () => {
  await running.close();
  await instance.close();
  await rm(directory, { recursive: true, force: true });
});

function framing(request: IncomingMessage): string {
  return request.headers['transfer-encoding'] ?? `length ${request.headers['content-length'] ?? 'none'}`;
}

function open(host = HOST): ClientHttp2Session {
  const session = connect(`https://${host}:${port}`, { ca, servername: host, lookup });
  session.on('error', () => undefined);
  return session;
}

/** Every name is this machine. */
const lookup: LookupFunction = (_host, options, done) => {
  if (options.all === true) done(null, [{ address: '127.0.0.1', family: 4 }]);
  else done(null, '127.0.0.1', 4);
};

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  readonly trailers: IncomingHttpHeaders;
  readonly code: number;
}

function send(
  session: ClientHttp2Session,
  headers: Record<string, string | string[]>,
  body: readonly Buffer[] = [],
): Promise<Answer> {
  return new Promise((resolve) => {
    const stream = session.request({ ':path': '/', ...headers }, { endStream: body.length === 0 });
    const pieces: Buffer[] = [];
    let answer: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    stream.on('response', (received) => {
      answer = received;
    });
    stream.on('trailers', (received) => {
      trailers = received;
    });
    stream.on('data', (piece: Buffer) => pieces.push(piece));
    stream.on('error', () => undefined);
    stream.on('close', () =>
      resolve({ headers: answer, body: Buffer.concat(pieces), trailers, code: stream.rstCode ?? 0 }),
    );
    if (body.length > 0) {
      for (const piece of body) stream.write(piece);
      stream.end();
    }
  });
}

describe('HTTP/2', () => {
  test('a request is answered, with ids, forwarding fields and every cookie', async () => {
    const session = open();
    const { headers, body } = await send(session, {
      ':path': '/headers',
      cookie: ['one=1', 'two=2'],
      te: 'trailers',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    });
    expect(headers[':status']).toBe(200);
    expect(headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(headers['x-request-id']).toBe('0af7651916cd43dd8448eb211c80319c');
    const seen = JSON.parse(body.toString());
    expect(seen.version).toBe('1.1');
    expect(seen.headers).toMatchObject({
      host: `${HOST}:${port}`,
      cookie: 'one=1; two=2',
      via: '2.0 skyrun',
      forwarded: `for=127.0.0.1;host="${HOST}:${port}";proto=https`,
      'x-forwarded-proto': 'https',
    });
    expect(seen.headers.te).toBeUndefined();
    session.close();
  });

  test.each([
    ['of known length', { 'content-length': '300000' }, 'length 300000'],
    ['of unknown length', {}, 'chunked'],
  ])('a body %s comes back as it was', async (_name, headers, framing) => {
    const session = open();
    const body = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
    const answer = await send(session, { ':method': 'POST', ':path': '/echo', ...headers }, [
      body.subarray(0, 1),
      body.subarray(1, 150_000),
      body.subarray(150_000),
    ]);
    expect(answer.headers['x-framing']).toBe(framing);
    expect(answer.body.equals(body)).toBe(true);
    session.close();
  });

  test('a hundred requests on one connection each get their own answer', async () => {
    const session = open();
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, index) =>
        send(session, { ':method': 'POST', ':path': '/echo' }, [Buffer.from(`number ${index}`)]),
      ),
    );
    expect(answers.map((answer) => answer.body.toString())).toEqual(answers.map((_, index) => `number ${index}`));
    session.close();
  });

  test('trailers, a large body, HEAD and an empty answer', async () => {
    const session = open();
    const withTrailers = await send(session, { ':path': '/trailers' });
    expect(withTrailers.body.toString()).toBe('content');
    expect(withTrailers.trailers['x-sum']).toBe('42');
    const large = await send(session, { ':path': '/large' });
    expect(large.body.length).toBe(64 * 65_536);
    expect(large.body.every((byte, index) => byte === Math.floor(index / 65_536))).toBe(true);
    expect((await send(session, { ':method': 'HEAD', ':path': '/large' })).headers[':status']).toBe(200);
    expect((await send(session, { ':path': '/empty' })).headers[':status']).toBe(204);
    session.close();
  });

  test('a response that breaks off is a reset stream, and the connection goes on', async () => {
    const session = open();
    const cut = await send(session, { ':path': '/cut' });
    expect(cut.code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
    expect((await send(session, { ':path': '/' })).body.toString()).toBe('ok');
    session.close();
  });

  test('a client that resets its stream cancels the request at the instance', async () => {
    const session = open();
    const path = `/slow-${session.originSet?.length ?? 0}`;
    const stream = session.request({ ':path': path });
    stream.on('error', () => undefined);
    await expect.poll(() => running.gateway.ready().ok).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 100));
    stream.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => aborted.includes(path)).toBe(true);
    session.close();
  });

  test.each([
    ['two hosts', { ':authority': HOST, host: 'other.demo.localhost' }, 400],
    ['a host without a service', { ':authority': 'nobody.demo.localhost' }, 404],
  ])('%s is refused', async (_name, headers, status) => {
    const session = open();
    const answer = await send(session, headers);
    expect(answer.headers[':status']).toBe(status);
    expect(answer.headers['content-type']).toBe('application/problem+json');
    expect((await send(session, {})).headers[':status']).toBe(200);
    session.close();
  });

  test.each([
    ['an authority that is not a host', { ':authority': 'a b' }],
    ['a path without a slash', { ':path': 'http://elsewhere/' }],
  ])('%s is a protocol error', async (_name, headers) => {
    const session = open();
    expect((await send(session, headers)).code).toBe(constants.NGHTTP2_PROTOCOL_ERROR);
    expect((await send(session, {})).headers[':status']).toBe(200);
    session.close();
  });

  test('extended CONNECT is not offered', async () => {
    const session = open();
    await new Promise<void>((resolve) => session.once('remoteSettings', () => resolve()));
    expect(session.remoteSettings.enableConnectProtocol).toBeFalsy();
    session.close();
  });
});

describe('TLS', () => {
  const certificateOf = (servername: string, address = port) =>
    new Promise<PeerCertificate>((resolve, reject) => {
      const socket = tlsConnect({ port: address, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
        resolve(socket.getPeerCertificate());
        socket.destroy();
      });
      socket.once('error', reject);
    });

  test('HTTP/1.1 where the client asks for it, WebSockets too', async () => {
    const answer = await new Promise<string>((resolve, reject) => {
      httpsRequest({ port, host: '127.0.0.1', servername: HOST, headers: { host: HOST }, ca }, (response) => {
        readAll(response).then((body) => resolve(`${response.httpVersion} ${body}`), reject);
      })
        .once('error', reject)
        .end();
    });
    expect(answer).toBe('1.1 ok');

    const sockets = new WebSocketServer({ server: instance.server });
    sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    const socket = new WebSocket(`wss://${HOST}:${port}/`, [], { ca, lookup });
    const echoed = await new Promise<string>((resolve, reject) => {
      socket.once('open', () => socket.send('hello'));
      socket.once('message', (data) => resolve(String(data)));
      socket.once('error', reject);
    });
    expect(echoed).toBe('hello');
    socket.close();
    sockets.close();
  });

  test('development certificates are for hosts that lead somewhere, and for no others', async () => {
    expect((await certificateOf(HOST)).subjectaltname).toBe(`DNS:${HOST}`);
    await expect(certificateOf('nobody.example')).rejects.toThrow();
    expect((await certificateOf('')).subjectaltname).toBe('DNS:localhost');
  });

  test('a certificate in the directory wins at once, and open connections go on', async () => {
    const certificates = await mkdtemp(join(tmpdir(), 'skyrun-certificates-'));
    const authority = await openDevelopmentAuthority(join(certificates, 'authority'), systemClock);
    const other = await startGateway([route([target([instance.port])], HOST)], {
      tls: { port: 0, certificateDir: certificates, developmentDir: join(directory, 'development'), acme: null },
    });
    const otherPort = other.gateway.tlsAddress().port;
    const session = connect(`https://${HOST}:${otherPort}`, { ca, servername: HOST, lookup });
    expect((await send(session, {})).headers[':status']).toBe(200);

    const pair = await authority.issue('*.demo.localhost');
    await writeFile(join(certificates, 'demo.crt'), pair.certificate);
    await writeFile(join(certificates, 'demo.key'), pair.key);
    await expect
      .poll(async () => (await certificateOf(HOST, otherPort)).subjectaltname, { timeout: 10_000 })
      .toBe('DNS:*.demo.localhost');
    expect((await send(session, {})).headers[':status']).toBe(200);

    await writeFile(join(certificates, 'demo.key'), 'half a file');
    await new Promise((resolve) => setTimeout(resolve, 2500));
    expect((await certificateOf(HOST, otherPort)).subjectaltname).toBe('DNS:*.demo.localhost');
    session.close();
    await other.close();
    await rm(certificates, { recursive: true, force: true });
  });

  test('processes that start at once and later ones have the same authority, its key for its owner only', async () => {
    const path = join(directory, 'again');
    const [first, second] = await Promise.all([
      openDevelopmentAuthority(path, systemClock),
      openDevelopmentAuthority(path, systemClock),
    ]);
    const third = await openDevelopmentAuthority(path, systemClock);
    expect(second.certificate).toBe(first.certificate);
    expect(third.certificate).toBe(first.certificate);
    expect((await stat(join(path, 'ca.key'))).mode & 0o777).toBe(0o600);
    expect((await readdir(directory)).filter((name) => name.startsWith('again.'))).toEqual([]);
  });

  test('stopping lets HTTP/2 requests end and then closes', async () => {
    const slow = await startInstance((_request, response) => {
      setTimeout(() => response.end('late'), 300);
    });
    const other = await startGateway([route([target([slow.port])], HOST)], {
      tls: {
        port: 0,
        certificateDir: join(directory, 'none'),
        developmentDir: join(directory, 'development'),
        acme: null,
      },
    });
    const session = connect(`https://${HOST}:${other.gateway.tlsAddress().port}`, { ca, servername: HOST, lookup });
    const answer = send(session, {});
    await new Promise((resolve) => setTimeout(resolve, 100));
    const closed = other.close();
    expect((await answer).body.toString()).toBe('late');
    await closed;
    await slow.close();
  });
});

test('where there is an authority already, the encrypted side opens with the first clients that speak TLS', async () => {
  const later = await startGateway([route([target([instance.port])], HOST)], {
    tls: {
      port: null,
      certificateDir: join(directory, 'certificates'),
      developmentDir: join(directory, 'development'),
      acme: null,
    },
  });
  try {
    const ask = () =>
      new Promise<string>((resolve, reject) => {
        const options = { host: HOST, servername: HOST, port: later.port, ca, lookup, agent: false };
        httpsRequest(options, (response) => readAll(response).then((body) => resolve(String(body)), reject))
          .on('error', reject)
          .end();
      });
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['ok', 'ok', 'ok']);
    expect(await ask()).toBe('ok');
  } finally {
    await later.close();
  }
});
