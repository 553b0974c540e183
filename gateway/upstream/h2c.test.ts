import { constants, type ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { withinLoad } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { route, target } from '../harness/gateway.ts';
import { type H2cInstance, startH2c } from '../harness/h2c-instance.ts';
import { exchangeRaw } from '../harness/raw-client.ts';
import { startTlsGateway, type TlsGateway } from '../harness/tls-gateway.ts';

const HOST = 'hello.demo.localhost';
const HEAD = `HTTP/1.1\r\nHost: ${HOST}\r\nConnection: close\r\n`;
let instance: H2cInstance;
let gateway: TlsGateway;
const resets: { path: string; code: number; at: number }[] = [];
/** Requests that are answered when so many are there at the same time. */
const TOGETHER = 23;
const together: ServerHttp2Stream[] = [];
/** Bytes of /large that the instance was allowed to write. */
let written = 0;

beforeAll(async () => {
  instance = await startH2c(
    (stream, { path, raw, header }) => {
      stream.on('close', () => {
        if (stream.rstCode !== 0) resets.push({ path, code: stream.rstCode, at: performance.now() });
      });
      if (path === '/seen') {
        stream.respond({ ':status': 200, 'content-type': 'application/json' });
        stream.end(JSON.stringify(raw));
      } else if (path === '/echo') {
        let trailers: string[] = [];
        stream.on('trailers', (_trailers, _flags, lines: string[]) => {
          trailers = lines;
        });
        stream.respond({ ':status': 200, 'x-length': header('content-length') ?? 'none' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'x-trailers': trailers.join(' '), 'x-sum': '42' }));
        stream.pipe(stream);
      } else if (path === '/large') {
        stream.respond({ ':status': 200 });
        const piece = Buffer.alloc(65_536, 7);
        const write = () => {
          while (written < 512 * piece.length) {
            written += piece.length;
            if (!stream.write(piece)) return;
          }
          stream.end();
        };
        stream.on('drain', write);
        write();
      } else if (path === '/sse') {
        stream.respond({ ':status': 200, 'content-type': 'text/event-stream' });
      } else if (path === '/reset') {
        // Node ends a stream before it resets it; without trailers that end stays unsaid.
        stream.respond({ ':status': 200 }, { waitForTrailers: true });
        stream.write('begun');
        setTimeout(() => stream.close(constants.NGHTTP2_INTERNAL_ERROR), 50);
      } else if (path === '/hint') {
        stream.additionalHeaders({ ':status': 103, link: '</a.css>; rel=preload' });
        stream.respond({ ':status': 200, 'content-length': 0 }, { endStream: true });
      } else if (path === '/empty') stream.respond({ ':status': 200 }, { endStream: true });
      else if (path === '/twice') {
        stream.respond([':status', '200', 'x-a', '1', 'x-a', '2', 'set-cookie', 'a=1', 'set-cookie', 'b=2']);
        stream.end('twice');
      } else if (path === '/together') {
        together.push(stream);
        if (together.length < TOGETHER) return;
        for (const one of together.splice(0)) {
          one.respond({ ':status': 200 });
          one.end('together');
        }
      } else stream.respond({ ':status': 404 }, { endStream: true });
    },
    { maxConcurrentStreams: 5 },
  );
  gateway = await startTlsGateway([route([target([instance.port], { protocol: 'h2c' })], HOST)]);
});

afterAll(async () => {
  await gateway.close();
  await instance.close();
});

const ask = (request: string) => exchangeRaw(gateway.port, [request], { waitMs: 10_000 });

test('an HTTP/1.1 request reaches it as one of HTTP/2, with what the gateway adds and without what belongs to a hop', async () => {
  const { text } = await ask(
    `GET /seen ${HEAD}Keep-Alive: timeout=5\r\nHTTP2-Settings: AA\r\nUser-Agent: one\r\nUser-Agent: two\r\nconstructor: c\r\n\r\n`,
  );
  const [head = '', body = ''] = text.split('\r\n\r\n');
  expect(head).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  expect(head).toContain('Transfer-Encoding: chunked');
  const seen = JSON.parse(body.split('\r\n')[1] ?? '') as string[];
  const pairs = seen.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${seen[index + 1]}`] : []));
  expect(pairs).toEqual(
    expect.arrayContaining([
      ':method: GET',
      ':path: /seen',
      ':scheme: http',
      `:authority: ${HOST}`,
      'user-agent: one',
      'user-agent: two',
      'constructor: c',
      'x-forwarded-for: 127.0.0.1',
      'via: 1.1 skyrun',
      'te: trailers',
    ]),
  );
  expect(pairs.filter((pair) => /^(connection|host|keep-alive|http2-settings|transfer-encoding)/.test(pair))).toEqual(
    [],
  );
});

test('bodies and trailers go both ways: with a length, in chunks, from HTTP/2', async () => {
  const length = await ask(`POST /echo ${HEAD}Content-Length: 5\r\n\r\nhello`);
  expect(length.text).toMatch(/x-length: 5\r\n[\s\S]*\r\n\r\n5\r\nhello\r\n0\r\nx-trailers: \r\nx-sum: 42\r\n\r\n$/);
  const chunked = await ask(
    `POST /echo ${HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;a=b\r\nlo\r\n0\r\nX-Last: one\r\n\r\n`,
  );
  expect(chunked.text).toMatch(/x-length: none\r\n/);
  expect(chunked.text.replaceAll(/\r\n[0-9a-f]+\r\n/g, '')).toContain('hello');
  expect(chunked.text).toMatch(/\r\n0\r\nx-trailers: x-last one\r\nx-sum: 42\r\n\r\n$/);

  const session = gateway.open();
  const stream = session.request({ ':method': 'POST', ':path': '/echo' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'x-last': 'two' }));
  let body = '';
  stream.setEncoding('latin1').on('data', (piece: string) => {
    body += piece;
  });
  const trailers = new Promise((resolve) => stream.once('trailers', resolve));
  const ended = new Promise((resolve) => stream.once('end', resolve));
  stream.end('from http/2');
  expect(await trailers).toMatchObject({ 'x-trailers': 'x-last two', 'x-sum': '42' });
  await ended;
  expect(body).toBe('from http/2');
  session.close();
});

test('a body that its client breaks off is never whole for the instance', async () => {
  const before = resets.length;
  const session = gateway.open();
  const stream = session.request({ ':method': 'POST', ':path': '/echo' });
  stream.on('error', () => undefined);
  stream.write('the first half');
  await new Promise((resolve) => stream.once('data', resolve));
  const leftAt = performance.now();
  stream.close(constants.NGHTTP2_CANCEL);
  await vi.waitFor(() => expect(resets.length).toBe(before + 1), { timeout: 10_000 });
  expect(resets.at(-1)).toMatchObject({ path: '/echo', code: constants.NGHTTP2_CANCEL });
  expect((resets.at(-1)?.at ?? 0) - leftAt).toBeLessThan(withinLoad(2000));
  session.close();
});

test('a reset by the instance reaches both kinds of client as a response that is not whole', async () => {
  const one = await ask(`GET /reset ${HEAD}\r\n`);
  expect(one).toMatchObject({ ended: 'reset' });
  expect(one.text).not.toContain('\r\n0\r\n');
  const session = gateway.open();
  const stream = session.request({ ':path': '/reset' });
  stream.on('error', () => undefined);
  await new Promise((resolve) => stream.once('close', resolve));
  expect(stream.rstCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
  session.close();
});

test('events are not held back, and the client leaving ends them at the instance', async () => {
  const client = connect(gateway.port, '127.0.0.1', () => client.write(`GET /sse ${HEAD}\r\n`));
  let text = '';
  client.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  await vi.waitFor(() => expect(text).toContain('text/event-stream'), { timeout: 10_000 });
  const before = resets.length;
  client.destroy();
  await vi.waitFor(() => expect(resets.length).toBe(before + 1), { timeout: 10_000 });
  expect(resets.at(-1)).toMatchObject({ path: '/sse', code: constants.NGHTTP2_CANCEL });
});

test('a client that takes nothing stops the instance within its window, and then has it all', async () => {
  written = 0;
  const client = connect(gateway.port, '127.0.0.1', () => client.write(`GET /large ${HEAD}\r\n`));
  client.pause();
  let last = -1;
  await vi.waitFor(
    () => {
      const still = written === last;
      last = written;
      expect(still && written > 0 && written < 512 * 65_536).toBe(true);
    },
    { timeout: 10_000, interval: 300 },
  );
  let received = 0;
  client.on('data', (chunk) => {
    received += chunk.length;
  });
  client.resume();
  await new Promise((resolve) => client.once('end', resolve));
  expect(received).toBeGreaterThan(512 * 65_536);
  client.destroy();
});

test('hints, empty answers and fields that come twice', async () => {
  expect((await ask(`GET /hint ${HEAD}\r\n`)).text).toMatch(
    /^HTTP\/1\.1 103 Early Hints\r\nlink: [\s\S]*HTTP\/1\.1 200 OK/,
  );
  expect((await ask(`GET /empty ${HEAD}\r\n`)).text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*content-length: 0\r\n/);
  expect((await ask(`HEAD /twice ${HEAD}\r\n`)).text).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\n$/);
  expect((await ask(`GET /twice ${HEAD}\r\n`)).text).toMatch(/x-a: 1\r\nx-a: 2\r\nset-cookie: a=1\r\nset-cookie: b=2/);
});

test('no more streams at a time on a connection than the instance takes, and further connections for the others', async () => {
  const askAll = () => Promise.all(Array.from({ length: TOGETHER }, () => ask(`GET /together ${HEAD}\r\n`)));
  const open = () => instance.sessions.filter((session) => !session.destroyed).length;
  for (const { text } of await askAll()) expect(text).toMatch(/^HTTP\/1\.1 200 /);
  const first = open();
  expect(first).toBeGreaterThanOrEqual(5);
  // They are used again.
  for (const { text } of await askAll()) expect(text).toMatch(/^HTTP\/1\.1 200 /);
  expect(open()).toBe(first);
});

test('a connection that takes leave is replaced without a failed request', async () => {
  let stop = false;
  const answers = new Set<string>();
  const load = Array.from({ length: 4 }, async () => {
    while (!stop) {
      const { text } = await ask(`GET /seen ${HEAD}\r\n`);
      answers.add(text.startsWith('HTTP/1.1 200 ') ? 'answered' : text);
    }
  });
  for (let round = 0; round < 3; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 150));
    for (const session of instance.sessions) if (!session.destroyed) session.close();
  }
  stop = true;
  await Promise.all(load);
  expect([...answers]).toEqual(['answered']);
});
