import { once } from 'node:events';
import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { route, startGateway, target } from '../harness/gateway.ts';
import { send } from '../harness/http2-client.ts';
import { exchangeRaw } from '../harness/raw-client.ts';
import { startTlsGateway } from '../harness/tls-gateway.ts';
import { type RecordedConnection, startUpstream } from '../harness/upstream.ts';
import { ReadBuffer, SPARE_BYTES, sharedReads } from './read-buffer.ts';

const TEST_MS = 120_000;
const SPOILED = 0xee;

// What is shared is overwritten at the earliest moment at which another connection could do so, so a view of it that is kept shows.
beforeEach(() => {
  const { target: real } = sharedReads;
  vi.spyOn(sharedReads, 'target', 'get').mockImplementation(() => real.fill(SPOILED));
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** An instance that answers each path in the pieces that `answer` gives for it. */
function startInstance(answer: (path: string) => readonly string[], pauseMs = 0) {
  const answered = new Map<RecordedConnection, number>();
  return startUpstream((connection) => {
    const paths = [...connection.received.matchAll(/GET \/(\S+) HTTP/g)].map(([, path = '']) => path);
    for (const path of paths.slice(answered.get(connection) ?? 0)) {
      const pieces = answer(path);
      const say = (index: number) => {
        const piece = pieces[index];
        if (connection.socket.destroyed) return;
        if (piece === undefined) {
          if (pieces.join('').includes('\r\nConnection: close')) connection.socket.end();
          return;
        }
        connection.socket.write(piece, 'latin1', () => setTimeout(() => say(index + 1), pauseMs));
      };
      say(0);
    }
    answered.set(connection, paths.length);
  });
}

function request(path: string, more = 'Connection: close\r\n', version = '1.1'): string {
  return `GET /${path} HTTP/${version}\r\nHost: hello.demo.localhost\r\n${more}\r\n`;
}

function unchunked(text: string): string {
  let body = '';
  for (let at = 0; ; ) {
    const lineEnd = text.indexOf('\r\n', at);
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    if (!(size > 0)) return body;
    body += text.slice(lineEnd + 2, lineEnd + 2 + size);
    at = lineEnd + size + 4;
  }
}

/** The body of the final response of a connection that has ended. */
function bodyOf(text: string): string {
  const start = text.indexOf('\r\n\r\n', text.search(/HTTP\/1\.1 [2-5]/)) + 4;
  const rest = text.slice(start);
  return text.slice(0, start).includes('Transfer-Encoding: chunked') ? unchunked(rest) : rest;
}

test('what is taken out of a shared buffer lasts, and what is kept of a connection’s own is not copied', () => {
  for (const buffer of [ReadBuffer.ofMany(), ReadBuffer.ofOne()]) {
    const at = SPARE_BYTES;
    const shared = buffer.target.length > 0 && buffer.takeKept();
    expect(shared).toBe(false);
    buffer.target.set(Buffer.from('0123456789'));
    const text = buffer.text(at + 1, at + 4);
    const copy = buffer.copy(at + 1, at + 4);
    expect(buffer.takeKept()).toBe(false);
    const kept = buffer.keep(at + 4, at + 6);
    expect(buffer.takeKept()).toBe(true);
    const behind = buffer.keepBehind('ab', at + 7, at + 9);
    expect(behind.toString()).toBe('ab78');
    expect(buffer.takeKept()).toBe(true);
    expect(buffer.takeKept()).toBe(false);
    buffer.target.fill(SPOILED);
    expect([text, copy.toString()]).toEqual(['123', '123']);
    const views = [kept, behind].map((piece) => piece.buffer === buffer.target.buffer);
    expect(views).toEqual(views[0] ? [true, true] : [false, false]);
    expect(kept.includes(SPOILED)).toBe(views[0]);
  }
});

test('a response that is split anywhere comes whole, while others are read in between', {
  timeout: TEST_MS,
}, async () => {
  const textOf = (mark: string) =>
    `HTTP/1.1 103 Early Hints\r\nLink: </${mark}>\r\n\r\nHTTP/1.1 200 OK\r\nX-Mark: ${mark}\r\nTransfer-Encoding: chunked\r\n\r\n` +
    `3;a=b\r\n${mark}\r\n4\r\n-end\r\n0\r\nX-Sum: ${mark}\r\n\r\n`;
  const { length } = textOf('000');
  const upstream = await startInstance(
    (path) => [textOf(path).slice(0, Number(path)), textOf(path).slice(Number(path))],
    5,
  );
  const running = await startGateway([route([target([upstream.port])])]);
  try {
    const marks = Array.from({ length: length - 1 }, (_, index) => String(index + 1).padStart(3, '0'));
    const answers = await Promise.all(
      marks.map((mark) => exchangeRaw(running.port, [request(mark)], { waitMs: TEST_MS })),
    );
    for (const [index, { text }] of answers.entries()) {
      const mark = marks[index];
      expect(text).toContain(`Link: </${mark}>`);
      expect(text).toContain(`X-Mark: ${mark}`);
      expect(text).toContain(`X-Sum: ${mark}`);
      expect(bodyOf(text)).toBe(`${mark}-end`);
    }
  } finally {
    await running.close();
    await upstream.close();
  }
});

test.each(['with a length', 'until it ends'])(
  'a client that takes nothing for long gets what was sent to it, %s',
  {
    timeout: TEST_MS,
  },
  async (framing) => {
    // Each on a new connection to the instance, which therefore shares the buffer when the large piece comes.
    const paths = Array.from({ length: 240 }, (_, index) => String(1000 + index));
    const body = (path: string) => `${path}|`.repeat(10_000);
    const length = framing === 'with a length' ? `Content-Length: ${body('1000').length}\r\n` : '';
    const upstream = await startInstance((path) => [
      `HTTP/1.1 200 OK\r\nConnection: close\r\n${length}\r\n${body(path)}`,
    ]);
    const running = await startGateway([route([target([upstream.port], { timeoutMs: TEST_MS })])]);
    const socket = connect({ port: running.port, host: '127.0.0.1' });
    try {
      socket.pause();
      socket.write(paths.map((path, index) => request(path, index + 1 < paths.length ? '' : undefined)).join(''));
      let before = -1;
      const stands = () => {
        const same = upstream.connections.length === before && before > 10;
        before = upstream.connections.length;
        return same;
      };
      await expect.poll(stands, { timeout: TEST_MS / 2, interval: 300 }).toBe(true);
      expect(before).toBeLessThan(paths.length);
      const other = await exchangeRaw(running.port, [request('2000')], { waitMs: TEST_MS });
      expect(bodyOf(other.text) === body('2000')).toBe(true);
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      socket.resume();
      await once(socket, 'end');
      const answers = text.split(/(?=HTTP\/1\.1 200 OK\r\n)/);
      expect(answers.length).toBe(paths.length);
      expect(answers.findIndex((answer, index) => bodyOf(answer) !== body(paths[index] ?? ''))).toBe(-1);
    } finally {
      socket.destroy();
      await running.close();
      await upstream.close();
    }
  },
);

test('a tunnel carries what was sent, small and large, to a client that is slow', { timeout: TEST_MS }, async () => {
  const pieces = Array.from({ length: 400 }, (_, index) => `${index}|`.repeat(index % 5 === 4 ? 12_000 : 300));
  const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: test\r\n\r\n';
  const upstream = await startInstance(() => [head, ...pieces]);
  const running = await startGateway([route([target([upstream.port])])]);
  const socket = connect({ port: running.port, host: '127.0.0.1' });
  try {
    socket.write(request('tunnel', 'Connection: Upgrade\r\nUpgrade: test\r\n'));
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      socket.pause();
      setTimeout(() => socket.resume(), 3);
    });
    const whole = pieces.join('');
    await expect.poll(() => text.slice(text.indexOf('\r\n\r\n') + 4).length, { timeout: TEST_MS }).toBe(whole.length);
    expect(text.endsWith(whole)).toBe(true);
  } finally {
    socket.destroy();
    await running.close();
    await upstream.close();
  }
});

const spec = fc.record({
  framing: fc.constantFrom('length', 'chunked', 'end'),
  hints: fc.boolean(),
  size: fc.oneof(
    fc.integer({ min: 0, max: 200 }),
    fc.integer({ min: 3_000, max: 5_000 }),
    fc.integer({ min: 9_000, max: 150_000 }),
  ),
  /** Of one write of the instance, in bytes. */
  piece: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 3_500, max: 5_000 }), fc.constant(1_000_000)),
  leaves: fc.boolean(),
  client: fc.constantFrom('1.1', '1.0', 'slow', 'http2'),
});
type Spec = typeof spec extends fc.Arbitrary<infer S> ? S : never;

const bodyFor = (path: string, { size }: Spec) => `${path}|`.repeat(size / 3 + 1).slice(0, size);

function piecesFor(path: string, asked: Spec): string[] {
  const { framing, hints, size, piece, leaves } = asked;
  const body = bodyFor(path, asked);
  const head = `HTTP/1.1 200 OK\r\nX-Mark: ${path}\r\n${leaves || framing === 'end' ? 'Connection: close\r\n' : ''}`;
  const half = size >> 1;
  const chunk = (text: string) => (text === '' ? '' : `${text.length.toString(16)}\r\n${text}\r\n`);
  const framed = {
    length: `Content-Length: ${size}\r\n\r\n${body}`,
    chunked: `Transfer-Encoding: chunked\r\n\r\n${chunk(body.slice(0, half))}${chunk(body.slice(half))}0\r\n\r\n`,
    end: `\r\n${body}`,
  }[framing];
  const text = `${hints ? `HTTP/1.1 103 Early Hints\r\nLink: </${path}>\r\n\r\n` : ''}${head}${framed}`;
  const step = Math.max(piece, Math.ceil(text.length / 30));
  return Array.from({ length: Math.ceil(text.length / step) }, (_, index) =>
    text.slice(index * step, (index + 1) * step),
  );
}

async function slowly(port: number, text: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  let got = '';
  socket.on('data', (chunk) => {
    got += chunk.toString('latin1');
    socket.pause();
    setTimeout(() => socket.resume(), 1);
  });
  socket.write(text);
  await once(socket, 'end');
  socket.destroy();
  return got;
}

test('whatever instances say at the same time, each client gets what was said to it', {
  timeout: TEST_MS,
}, async () => {
  const asked = new Map<string, Spec>();
  const upstream = await startInstance((path) => {
    const found = asked.get(path);
    if (found === undefined) throw new Error(`nobody asked for ${path}`);
    return piecesFor(path, found);
  });
  const gateway = await startTlsGateway([route([target([upstream.port])])]);
  const session = gateway.open();
  let count = 0;
  const ask = async (wanted: Spec) => {
    const path = (count++).toString(36).padStart(2, '0');
    asked.set(path, wanted);
    const body = bodyFor(path, wanted);
    if (wanted.client === 'http2') {
      const answer = await send(session, { ':path': `/${path}` });
      expect(answer.headers['x-mark']).toBe(path);
      expect(answer.body.toString('latin1') === body).toBe(true);
      return;
    }
    const text =
      wanted.client === 'slow'
        ? await slowly(gateway.port, request(path))
        : (
            await exchangeRaw(gateway.port, [request(path, 'Connection: close\r\n', wanted.client)], {
              waitMs: TEST_MS,
            })
          ).text;
    expect(text).toContain(`X-Mark: ${path}\r\n`);
    expect(bodyOf(text) === body).toBe(true);
  };
  try {
    await fc.assert(
      fc.asyncProperty(fc.array(spec, { minLength: 8, maxLength: 24 }), async (specs) => {
        await Promise.all(specs.map(ask));
      }),
      { numRuns: 15, endOnFailure: true },
    );
  } finally {
    session.destroy();
    await gateway.close();
    await upstream.close();
  }
});
