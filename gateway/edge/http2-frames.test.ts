import { constants } from 'node:http2';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { type EdgeInstance, startEdgeInstance } from '../harness/edge-instance.ts';
import { route, target } from '../harness/gateway.ts';
import { END_STREAM, FRAME, frame, headersFrame } from '../harness/h2c-instance.ts';
import { openRawHttp2, type RawHttp2Client } from '../harness/raw-http2-client.ts';
import { startTlsGateway, type TlsGateway } from '../harness/tls-gateway.ts';

const HOST = 'hello.demo.localhost';
const within = { timeout: 20_000 };
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

function open(): RawHttp2Client {
  const client = openRawHttp2(edge, HOST);
  onTestFinished(() => client.destroy());
  return client;
}

const head = (stream: number, method: string, path: string, ...more: (readonly [string, string])[]) =>
  headersFrame(
    stream,
    [[':method', method], [':scheme', 'https'], [':path', path], [':authority', HOST], ...more],
    method === 'GET' ? END_STREAM : 0,
  );
const data = (stream: number, text: string, flags = 0) => frame(FRAME.data, flags, stream, Buffer.from(text));
const resets = (client: RawHttp2Client, stream: number) =>
  client.of(stream).flatMap(({ type, payload }) => (type === FRAME.reset ? [payload.readUInt32BE(0)] : []));
const ended = (client: RawHttp2Client, stream: number) =>
  client.of(stream).some(({ type, flags }) => type !== FRAME.reset && (flags & END_STREAM) !== 0);

// By hand, because Node's client does not tell a body's end from a reset.
test('a response that breaks off never has the end of a whole one, with or without trailers', async () => {
  const client = open();
  client.write(head(1, 'GET', '/cut'));
  await expect.poll(() => resets(client, 1), within).toEqual([constants.NGHTTP2_INTERNAL_ERROR]);
  expect(ended(client, 1)).toBe(false);
  client.write(head(3, 'GET', '/trailers'));
  await expect.poll(() => ended(client, 3), within).toBe(true);
  expect(client.closed).toBe(false);
});

// One that is longer costs the whole connection: so has Node's HTTP/2 decided, before the gateway hears of it.
test('a body shorter than its Content-Length costs its own stream, and no other', async () => {
  const client = open();
  client.write(head(1, 'GET', '/slow'));
  await expect.poll(() => instance.asked, within).toContain('/slow');
  client.write(head(3, 'POST', '/echo', ['content-length', '5']), data(3, 'abc', END_STREAM));
  await expect.poll(() => resets(client, 3), within).toEqual([constants.NGHTTP2_PROTOCOL_ERROR]);
  client.write(head(5, 'GET', '/'));
  await expect.poll(() => ended(client, 5), within).toBe(true);
  expect([resets(client, 1), client.closed]).toEqual([[], false]);
});
