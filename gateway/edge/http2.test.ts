import { constants } from 'node:http2';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EdgeInstance, startEdgeInstance } from '../harness/edge-instance.ts';
import { route, target } from '../harness/gateway.ts';
import { send } from '../harness/http2-client.ts';
import { startTlsGateway, type TlsGateway } from '../harness/tls-gateway.ts';

const HOST = 'hello.demo.localhost';
let edge: TlsGateway;
let instance: EdgeInstance;

beforeAll(async () => {
  instance = await startEdgeInstance();
  edge = await startTlsGateway([route([target([instance.port])], HOST)]);
});
afterAll(async () => {
  await edge?.close();
  await instance?.close();
});

test('a request is answered, with ids, forwarding fields and every cookie', async () => {
  const session = edge.open();
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
    host: `${HOST}:${edge.tlsPort}`,
    cookie: 'one=1; two=2',
    via: '2.0 skyrun',
    forwarded: `for=127.0.0.1;host="${HOST}:${edge.tlsPort}";proto=https`,
    'x-forwarded-proto': 'https',
  });
  expect(seen.headers.te).toBeUndefined();
  session.close();
});

test.each([
  ['of known length', { 'content-length': '300000' }, 'length 300000'],
  ['of unknown length', {}, 'chunked'],
])('a body %s comes back as it was', async (_name, headers, framing) => {
  const session = edge.open();
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
  const session = edge.open();
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, index) =>
      send(session, { ':method': 'POST', ':path': '/echo' }, [Buffer.from(`number ${index}`)]),
    ),
  );
  expect(answers.map((answer) => answer.body.toString())).toEqual(answers.map((_, index) => `number ${index}`));
  session.close();
});

test('trailers, a large body, HEAD and an empty answer', async () => {
  const session = edge.open();
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
  const session = edge.open();
  const cut = await send(session, { ':path': '/cut' });
  expect(cut.code).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  expect((await send(session, { ':path': '/' })).body.toString()).toBe('ok');
  session.close();
});

test('a client that resets its stream cancels the request at the instance', async () => {
  const session = edge.open();
  const path = '/slow';
  const stream = session.request({ ':path': path });
  stream.on('error', () => undefined);
  await expect.poll(() => instance.asked, { timeout: 10_000 }).toContain(path);
  stream.close(constants.NGHTTP2_CANCEL);
  await expect.poll(() => instance.aborted, { timeout: 10_000 }).toContain(path);
  session.close();
});

test.each([
  ['two hosts', { ':authority': HOST, host: 'other.demo.localhost' }, 400],
  ['a host without a service', { ':authority': 'nobody.demo.localhost' }, 404],
])('%s is refused', async (_name, headers, status) => {
  const session = edge.open();
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
  const session = edge.open();
  expect((await send(session, headers)).code).toBe(constants.NGHTTP2_PROTOCOL_ERROR);
  expect((await send(session, {})).headers[':status']).toBe(200);
  session.close();
});

test('extended CONNECT is not offered', async () => {
  const session = edge.open();
  await new Promise<void>((resolve) => session.once('remoteSettings', () => resolve()));
  expect(session.remoteSettings.enableConnectProtocol).toBeFalsy();
  session.close();
});

test('a request that was sent before its client could hear of a stop is refused as one that may be sent again', async () => {
  const stopping = await startTlsGateway([route([target([instance.port])])], { limits: { drainMs: 3_600_000 } });
  try {
    const session = stopping.open();
    expect((await send(session, {})).headers[':status']).toBe(200);
    const stopped = stopping.running.gateway.stop();
    expect((await send(session, { ':path': '/headers' })).code).toBe(constants.NGHTTP2_REFUSED_STREAM);
    await stopped;
  } finally {
    await stopping.close();
  }
});
