import { constants } from 'node:http2';
import { connect } from 'node:tls';
import { servicePolicy } from '@skyrun/contracts';
import { expect, test } from 'vitest';
import { startEdgeInstance } from '../harness/edge-instance.ts';
import { route, target } from '../harness/gateway.ts';
import { send } from '../harness/http2-client.ts';
import { startTlsGateway } from '../harness/tls-gateway.ts';
import { startUpstream } from '../harness/upstream.ts';

const HOST = 'hello.demo.localhost';
const within = { timeout: 10_000 };

test('a body of unknown length is refused as soon as it is too large, and one that just fits is not', async () => {
  const instance = await startEdgeInstance();
  const policy = servicePolicy.parse({ maxRequestBytes: 10 });
  const edge = await startTlsGateway([{ ...route([target([instance.port])]), policy }]);
  try {
    const session = edge.open();
    const post = (...pieces: string[]) =>
      send(
        session,
        { ':method': 'POST', ':path': '/echo' },
        pieces.map((piece) => Buffer.from(piece)),
      );
    expect((await post('01234', '567890')).headers[':status']).toBe(413);
    expect((await post('01234', '56789')).body.toString()).toBe('0123456789');
    session.close();
  } finally {
    await edge.close();
    await instance.close();
  }
});

/** One frame of HTTP/2 (RFC 9113 §4.1) of the first stream, or of the connection. */
function frame(type: 'data' | 'headers' | 'reset' | 'settings', payload: Buffer, flags = 0): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head[3] = { data: 0, headers: 1, reset: 3, settings: 4 }[type];
  head[4] = flags;
  head.writeUInt32BE(type === 'settings' ? 0 : 1, 5);
  return Buffer.concat([head, payload]);
}

// By hand, because Node's client ends a body before it resets the stream.
test('a body whose client takes it back does not reach the instance as a whole one', async () => {
  const instance = await startUpstream(() => undefined);
  const edge = await startTlsGateway([route([target([instance.port])])]);
  const client = connect({
    host: '127.0.0.1',
    port: edge.tlsPort,
    servername: HOST,
    ca: edge.ca,
    ALPNProtocols: ['h2'],
  });
  client.resume();
  client.on('error', () => undefined);
  try {
    // POST, https, / of HPACK's static table, and the authority.
    const head = Buffer.from([0x83, 0x87, 0x84, 0x41, HOST.length, ...Buffer.from(HOST)]);
    client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    client.write(
      Buffer.concat([
        frame('settings', Buffer.alloc(0)),
        frame('headers', head, 0x4),
        frame('data', Buffer.from('some')),
      ]),
    );
    await expect.poll(() => instance.received(), within).toMatch(/\r\n\r\n4\r\nsome\r\n$/);
    const [connection] = instance.connections;
    const ended = new Promise((resolve) => connection?.socket.once('close', resolve));
    client.write(frame('reset', Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL])));
    await ended;
    expect(instance.received()).toMatch(/\r\n\r\n4\r\nsome\r\n$/);
  } finally {
    client.destroy();
    await edge.close();
    await instance.close();
  }
});

test('a connection is idle only while nothing is asked on it', async () => {
  const instance = await startEdgeInstance();
  const edge = await startTlsGateway([route([target([instance.port])])], { limits: { idleMs: 300 } });
  try {
    const session = edge.open();
    const waits = session.request({ ':path': '/slow' });
    waits.on('error', () => undefined);
    await expect.poll(() => instance.asked, within).toContain('/slow');
    // Several times its bound, and several looks at it.
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(session.closed).toBe(false);
    expect((await send(session, {})).body.toString()).toBe('ok');
    waits.close(constants.NGHTTP2_CANCEL);
    await expect.poll(() => session.closed, within).toBe(true);
  } finally {
    await edge.close();
    await instance.close();
  }
});
