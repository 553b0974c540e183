import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:http2';
import { request as httpsRequest } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type PeerCertificate, connect as tlsConnect } from 'node:tls';
import { createLogger, systemClock } from '@skyrun/kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type EdgeInstance, readAll, startEdgeInstance, startHttpInstance } from '../harness/edge-instance.ts';
import { route, startGateway, target } from '../harness/gateway.ts';
import { send } from '../harness/http2-client.ts';
import { startTlsGateway, type TlsGateway, thisMachine } from '../harness/tls-gateway.ts';
import { openDevelopmentAuthority } from './development-authority.ts';

const HOST = 'hello.demo.localhost';
let directory: string;
let edge: TlsGateway;
let instance: EdgeInstance;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skyrun-edge-'));
  instance = await startEdgeInstance();
  edge = await startTlsGateway([route([target([instance.port])], HOST)]);
});
afterAll(async () => {
  await edge?.close();
  await instance?.close();
  await rm(directory, { recursive: true, force: true });
});

const certificateOf = (servername: string, address = edge.tlsPort) =>
  new Promise<PeerCertificate>((resolve, reject) => {
    const socket = tlsConnect({ port: address, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
      resolve(socket.getPeerCertificate());
      socket.destroy();
    });
    socket.once('error', reject);
  });

test('HTTP/1.1 where the client asks for it, WebSockets too', async () => {
  const answer = await new Promise<string>((resolve, reject) => {
    httpsRequest(
      { port: edge.tlsPort, host: '127.0.0.1', servername: HOST, headers: { host: HOST }, ca: edge.ca },
      (response) => {
        readAll(response).then((body) => resolve(`${response.httpVersion} ${body}`), reject);
      },
    )
      .once('error', reject)
      .end();
  });
  expect(answer).toBe('1.1 ok');

  const sockets = new WebSocketServer({ server: instance.server });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
  const socket = new WebSocket(`wss://${HOST}:${edge.tlsPort}/`, [], { ca: edge.ca, lookup: thisMachine });
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

test('the host of a service that a team runs itself has a development certificate too', async () => {
  const host = 'mailer.demo.localhost';
  await expect(certificateOf(host)).rejects.toThrow();
  edge.running.control.register([
    { project: 'demo', name: 'mailer', copies: [{ id: 'one', address: '127.0.0.1', port: instance.port }] },
  ]);
  await expect
    .poll(async () => await certificateOf(host).then((of) => of.subjectaltname, String), { timeout: 30_000 })
    .toBe(`DNS:${host}`);
  edge.running.control.register([]);
});

test('a certificate in the directory wins at once, and open connections go on', async () => {
  const certificates = await mkdtemp(join(tmpdir(), 'skyrun-certificates-'));
  const authority = await openDevelopmentAuthority(join(certificates, 'authority'), systemClock);
  let said = '';
  const other = await startGateway([route([target([instance.port])], HOST)], {
    tls: { port: 0, certificateDir: certificates, developmentDir: edge.developmentDir, acme: null },
    logger: createLogger({ service: 'test', destination: { write: (line) => (said += line) } }),
  });
  const otherPort = other.gateway.tlsAddress().port;
  const session = connect(`https://${HOST}:${otherPort}`, { ca: edge.ca, servername: HOST, lookup: thisMachine });
  expect((await send(session, {})).headers[':status']).toBe(200);

  const pair = await authority.issue('*.demo.localhost');
  await writeFile(join(certificates, 'demo.crt'), pair.certificate);
  await writeFile(join(certificates, 'demo.key'), pair.key);
  await expect
    .poll(async () => (await certificateOf(HOST, otherPort)).subjectaltname, { timeout: 10_000 })
    .toBe('DNS:*.demo.localhost');
  expect((await send(session, {})).headers[':status']).toBe(200);

  said = '';
  await writeFile(join(certificates, 'demo.key'), 'half a file');
  await expect.poll(() => said, { timeout: 30_000 }).toContain('cannot use this certificate');
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
  const slow = await startHttpInstance((_request, response) => {
    setTimeout(() => response.end('late'), 300);
  });
  const other = await startGateway([route([target([slow.port])], HOST)], {
    tls: {
      port: 0,
      certificateDir: join(directory, 'none'),
      developmentDir: edge.developmentDir,
      acme: null,
    },
  });
  const session = connect(`https://${HOST}:${other.gateway.tlsAddress().port}`, {
    ca: edge.ca,
    servername: HOST,
    lookup: thisMachine,
  });
  const answer = send(session, {});
  await new Promise((resolve) => setTimeout(resolve, 100));
  const closed = other.close();
  expect((await answer).body.toString()).toBe('late');
  await closed;
  await slow.close();
});

test('where there is an authority already, the encrypted side opens with the first clients that speak TLS', async () => {
  const later = await startGateway([route([target([instance.port])], HOST)], {
    tls: {
      port: null,
      certificateDir: join(directory, 'certificates'),
      developmentDir: edge.developmentDir,
      acme: null,
    },
  });
  try {
    const ask = () =>
      new Promise<string>((resolve, reject) => {
        const options = {
          host: HOST,
          servername: HOST,
          port: later.port,
          ca: edge.ca,
          lookup: thisMachine,
          agent: false,
        };
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
