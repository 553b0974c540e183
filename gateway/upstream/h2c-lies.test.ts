import { connect } from 'node:net';
import { withinLoad } from '@skyrun/testing';
import { expect, test } from 'vitest';
import { route, startGateway, target } from '../harness/gateway.ts';
import { END_STREAM, FRAME, frame, headersFrame, startRawH2c, words } from '../harness/h2c-instance.ts';
import { exchangeRaw } from '../harness/raw-client.ts';
import { startUpstream } from '../harness/upstream.ts';

const GET = 'GET / HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: close\r\n\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: hello.demo.localhost\r\nConnection: close\r\nContent-Length: 2\r\n\r\nhi';
const OK = [':status', '200'] as const;

/** What an instance sends in place of an answer, and what the client must hear; `cut` is a response without its end. */
const LIES: readonly (readonly [string, (stream: number) => Buffer[], number | 'cut'])[] = [
  ['a length that is not reached', (id) => [headersFrame(id, [OK, ['content-length', '5']]), data(id, 'abc')], 502],
  ['a length that is passed', (id) => [headersFrame(id, [OK, ['content-length', '2']]), data(id, 'abc')], 502],
  ['a length without a body', (id) => [headersFrame(id, [OK, ['content-length', '5']], END_STREAM)], 502],
  ['two lengths', (id) => [headersFrame(id, [OK, ['content-length', '0'], ['content-length', '1']], END_STREAM)], 502],
  ['no status', (id) => [headersFrame(id, [['x-a', 'b']], END_STREAM)], 502],
  ['a status of nobody', (id) => [headersFrame(id, [[':status', '999']], END_STREAM)], 502],
  ['a change of protocol', (id) => [headersFrame(id, [[':status', '101']])], 502],
  ['a transfer coding', (id) => [headersFrame(id, [OK, ['transfer-encoding', 'chunked']], END_STREAM)], 502],
  ['a field of one connection', (id) => [headersFrame(id, [OK, ['connection', 'close']], END_STREAM)], 502],
  ['a name in capitals', (id) => [headersFrame(id, [OK, ['X-A', 'b']], END_STREAM)], 502],
  ['a body without a head', (id) => [data(id, 'abc')], 502],
  ['a reset', (id) => [frame(FRAME.reset, 0, id, words(2))], 502],
  [
    'a reset in the body that says that all is well',
    (id) => [headersFrame(id, [OK]), frame(FRAME.data, 0, id, Buffer.from('abc')), frame(FRAME.reset, 0, id, words(0))],
    'cut',
  ],
  [
    'a reset in the body',
    (id) => [headersFrame(id, [OK]), frame(FRAME.data, 0, id, Buffer.from('abc')), frame(FRAME.reset, 0, id, words(8))],
    'cut',
  ],
  [
    'a trailer that frames',
    (id) => [
      headersFrame(id, [OK]),
      frame(FRAME.data, 0, id, Buffer.from('abc')),
      headersFrame(id, [['content-type', 'x']], END_STREAM),
    ],
    'cut',
  ],
];

function data(stream: number, text: string): Buffer {
  return frame(FRAME.data, END_STREAM, stream, Buffer.from(text));
}

function honest(stream: number): Buffer {
  return Buffer.concat([headersFrame(stream, [OK, ['content-length', '6']]), data(stream, 'honest')]);
}

test.each(LIES)('%s is never a whole answer, and the next request has its own', async (_name, lie, wanted) => {
  let lies = true;
  const instance = await startRawH2c((socket, stream) => {
    if (lies) for (const piece of lie(stream)) socket.write(piece);
    else socket.write(honest(stream));
  });
  const running = await startGateway([route([target([instance.port], { protocol: 'h2c' })])]);
  try {
    const { text, ended } = await exchangeRaw(running.port, [POST], { waitMs: 5000 });
    // What had already gone out cannot become a 502: then it must not look whole.
    const whole = text.includes('\r\n0\r\n') || /content-length: 2\r\n[\s\S]*\r\n\r\nab$/i.test(text);
    if (wanted === 502 && text.startsWith('HTTP/1.1 200'))
      expect({ whole, ended }).toEqual({ whole: false, ended: 'reset' });
    else if (wanted === 502) expect(text).toMatch(/^HTTP\/1\.1 502 /);
    else expect({ whole, ended }).toEqual({ whole: false, ended: 'reset' });
    lies = false;
    expect((await exchangeRaw(running.port, [GET], { waitMs: 5000 })).text).toMatch(/^HTTP\/1\.1 200 [\s\S]*honest$/);
  } finally {
    await running.close();
    await instance.close();
  }
});

test('a field with a line break in it reaches nobody', async () => {
  const instance = await startRawH2c((socket, stream) => {
    socket.write(headersFrame(stream, [OK, ['x-a', 'b\r\nset-cookie: stolen=1'], ['content-length', '0']], END_STREAM));
  });
  const running = await startGateway([route([target([instance.port], { protocol: 'h2c' })])]);
  try {
    const { text } = await exchangeRaw(running.port, [GET], { waitMs: 5000 });
    expect(text).not.toContain('stolen');
  } finally {
    await running.close();
    await instance.close();
  }
});

test.each([
  ['refused streams', (id: number) => [frame(FRAME.reset, 0, id, words(7))]],
  ['a connection that takes leave before the request', () => [frame(FRAME.goaway, 0, 0, words(0, 0))]],
])('%s are asked again, whatever the method', async (_name, refuse) => {
  const instance = await startRawH2c((socket, stream, nth) => {
    if (nth === 1) for (const piece of refuse(stream)) socket.write(piece);
    else socket.write(honest(stream));
  });
  const running = await startGateway([route([target([instance.port], { protocol: 'h2c' })])]);
  try {
    expect((await exchangeRaw(running.port, [POST], { waitMs: 5000 })).text).toMatch(/^HTTP\/1\.1 200 [\s\S]*honest$/);
  } finally {
    await running.close();
    await instance.close();
  }
});

test('a lost connection repeats what is safe only', async () => {
  let seen = 0;
  const instance = await startRawH2c((socket, stream) => {
    seen += 1;
    if (seen === 1 || seen === 3) socket.destroy();
    else socket.write(honest(stream));
  });
  const running = await startGateway([route([target([instance.port], { protocol: 'h2c' })])]);
  try {
    expect((await exchangeRaw(running.port, [GET], { waitMs: 5000 })).text).toMatch(/^HTTP\/1\.1 200 /);
    expect(seen).toBe(2);
    expect((await exchangeRaw(running.port, [POST], { waitMs: 5000 })).text).toMatch(/^HTTP\/1\.1 502 /);
    expect(seen).toBe(3);
  } finally {
    await running.close();
    await instance.close();
  }
});

test('an instance that does not speak HTTP/2 is told so by name, at once', async () => {
  const instance = await startUpstream(({ socket }) =>
    socket.write('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n'),
  );
  const running = await startGateway([route([target([instance.port], { protocol: 'h2c' })])]);
  try {
    const { text } = await exchangeRaw(running.port, [GET], { waitMs: 5000 });
    expect(text).toMatch(/^HTTP\/1\.1 502 /);
    expect(text).toContain('named h2c');
  } finally {
    await running.close();
    await instance.close();
  }
});

test('the client leaving resets the stream', async () => {
  const reset = Promise.withResolvers<number>();
  let askedAt = 0;
  const instance = await startRawH2c((socket) => {
    socket.on('data', (chunk: Buffer) => {
      if (chunk[3] === FRAME.reset) reset.resolve(performance.now() - askedAt);
    });
    client.destroy();
    askedAt = performance.now();
  });
  const running = await startGateway([route([target([instance.port], { protocol: 'h2c' })])]);
  const client = connect(running.port, '127.0.0.1', () => client.write(GET));
  try {
    expect(await reset.promise).toBeLessThan(withinLoad(1000));
  } finally {
    await running.close();
    await instance.close();
  }
});
