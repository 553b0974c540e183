import { createServer, type RequestListener, type ServerResponse } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { expect, test } from 'vitest';
import { startEcho } from '../harness/echo-instance.ts';
import { route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw, statusOf } from '../harness/raw-client.ts';
import { startUpstream } from '../harness/upstream.ts';

const HEAD = 'Host: hello.demo.localhost\r\n';
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function until(holds: () => boolean, ms = 3000): Promise<void> {
  for (let waited = 0; !holds(); waited += 2) {
    if (waited > ms) throw new Error('it did not come true in time');
    await sleep(2);
  }
}

async function startInstance(handler: RequestListener) {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

test('pipelined requests are answered in order, each by its own response, around one that is refused', async () => {
  const echo = await startEcho();
  const running = await startGateway([route([target([echo.port])])]);
  try {
    const request = (mark: number, more = '') => `GET /${mark} HTTP/1.1\r\n${HEAD}X-Mark: ${mark}\r\n${more}\r\n`;
    const post = `POST /4 HTTP/1.1\r\n${HEAD}X-Mark: 4\r\nContent-Length: 3\r\n\r\nabc`;
    const all = request(1) + request(2) + request(3) + post + request(5, 'Connection: close\r\n') + request(6);
    for (const pieces of [[all], all.match(/[\s\S]{1,7}/g) ?? []]) {
      const { text } = await exchangeRaw(running.port, pieces);
      expect([...text.matchAll(/\r\nx-mark: (\d)\r\n/gi)].map((match) => match[1])).toEqual(['1', '2', '3', '4', '5']);
    }
    const broken = await exchangeRaw(running.port, [
      `${request(1)}GET / HTTP/1.1\r\nBad Field: x\r\n\r\n${request(3)}`,
    ]);
    expect([...broken.text.matchAll(/HTTP\/1\.1 (\d+)/g)].map((match) => match[1])).toEqual(['200', '400']);
  } finally {
    await running.close();
    await echo.close();
  }
});

test('bodies of many sizes arrive whole, both framings, one write or many', async () => {
  const echo = await startEcho();
  const running = await startGateway([route([target([echo.port])])]);
  try {
    for (const size of [1, 100, 16_000, 16_384, 17_000, 65_536, 300_000]) {
      const body = 'x'.repeat(size);
      const plain = `POST / HTTP/1.1\r\n${HEAD}Connection: close\r\nContent-Length: ${size}\r\n\r\n${body}`;
      const chunked = `POST / HTTP/1.1\r\n${HEAD}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n${size.toString(16)}\r\n${body}\r\n0\r\n\r\n`;
      for (const bytes of [plain, chunked]) {
        for (const pieces of [[bytes], bytes.match(/[\s\S]{1,5000}/g) ?? []]) {
          echo.reset();
          const answer = await exchangeRaw(running.port, pieces);
          expect(statusOf(answer.text)).toBe(200);
          expect(echo.seen[0]?.body.length).toBe(size);
        }
      }
    }
  } finally {
    await running.close();
    await echo.close();
  }
});

test('a large response arrives unchanged at a client that reads slowly, and the gateway holds little of it', async () => {
  const size = 20_000_000;
  const block = Buffer.alloc(1_000_000, 'abcdefghij');
  const instance = await startInstance((_request, response) => {
    response.setHeader('content-length', size);
    let left = size / block.length;
    const more = () => {
      while (left > 0) {
        left -= 1;
        if (!response.write(block)) {
          response.once('drain', more);
          return;
        }
      }
      response.end();
    };
    more();
  });
  const running = await startGateway([route([target([instance.port])])]);
  try {
    const socket = connect(running.port, '127.0.0.1');
    socket.write(`GET / HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`);
    let received = 0;
    let wrong = 0;
    let head = '';
    await new Promise<void>((resolve, reject) => {
      socket.on('data', (chunk) => {
        let start = 0;
        if (!head.includes('\r\n\r\n')) {
          const text = chunk.toString('latin1');
          head += text;
          start = text.indexOf('\r\n\r\n') + 4;
        }
        for (let index = start; index < chunk.length; index += 997) {
          if (chunk[index] !== 97 + ((received + index - start) % 10)) wrong += 1;
        }
        received += chunk.length - start;
        if (received % 3 === 0) {
          socket.pause();
          setTimeout(() => socket.resume(), 2);
        }
      });
      socket.on('end', resolve);
      socket.on('error', reject);
    });
    expect({ received, wrong }).toEqual({ received: size, wrong: 0 });
  } finally {
    await running.close();
    instance.close();
  }
});

test('server-sent events arrive as they are written', async () => {
  const arrived: number[] = [];
  const instance = await startInstance((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let count = 0;
    const timer = setInterval(() => {
      count += 1;
      response.write(`data: ${count}\n\n`);
      if (count === 4) {
        clearInterval(timer);
        response.end();
      }
    }, 40);
  });
  const running = await startGateway([route([target([instance.port])])]);
  try {
    const socket = connect(running.port, '127.0.0.1');
    socket.write(`GET / HTTP/1.1\r\n${HEAD}Connection: close\r\n\r\n`);
    await new Promise<void>((resolve) => {
      socket.on('data', (chunk) => {
        for (const _ of chunk.toString().matchAll(/data: /g)) arrived.push(performance.now());
      });
      socket.on('end', resolve);
    });
    expect(arrived).toHaveLength(4);
    expect((arrived[3] ?? 0) - (arrived[0] ?? 0)).toBeGreaterThan(80);
  } finally {
    await running.close();
    instance.close();
  }
});

test('Expect: 100-continue: the instance says continue, then the body goes; another expectation is 417', async () => {
  const echo = await startEcho();
  const running = await startGateway([route([target([echo.port])])]);
  try {
    const socket = connect(running.port, '127.0.0.1');
    let text = '';
    socket.on('data', (chunk) => {
      text += chunk.toString();
    });
    socket.write(`POST / HTTP/1.1\r\n${HEAD}Expect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n`);
    await until(() => text.includes('100 Continue'));
    socket.write('abc');
    await until(() => text.includes('200 OK'));
    expect(echo.seen[0]?.body).toBe('abc');
    const other = await exchangeRaw(running.port, [
      `GET / HTTP/1.1\r\n${HEAD}Expect: magic\r\nConnection: close\r\n\r\n`,
    ]);
    expect(statusOf(other.text)).toBe(417);
    socket.destroy();
  } finally {
    await running.close();
    await echo.close();
  }
});

test('timeouts: a slow head is 408, a stalled body 408, a slow service 504 with the time it had', async () => {
  const upstream = await startUpstream(() => undefined);
  const running = await startGateway([route([target([upstream.port], { timeoutMs: 300 })])], {
    limits: { headerMs: 200, stallMs: 250, idleMs: 400 },
  });
  try {
    const [head, silent, slow] = await Promise.all([
      exchangeRaw(running.port, ['GET / HTTP/1.1\r\nHost: hello.demo']),
      exchangeRaw(running.port, []),
      exchangeRaw(running.port, [`GET / HTTP/1.1\r\n${HEAD}\r\n`], { until: (text) => text.includes('gateway.') }),
    ]);
    expect(statusOf(head.text)).toBe(408);
    expect(silent).toEqual({ text: '', ended: 'end' });
    expect(statusOf(slow.text)).toBe(504);
    expect(slow.text).toContain('gateway.upstream_timeout');
    const running2 = await startGateway([route([target([upstream.port])])], { limits: { stallMs: 250 } });
    const body = await exchangeRaw(running2.port, [`POST / HTTP/1.1\r\n${HEAD}Content-Length: 9\r\n\r\nabc`]);
    expect(statusOf(body.text)).toBe(408);
    await running2.close();
  } finally {
    await running.close();
    await upstream.close();
  }
});

test('a browser gets a page, everyone else problem+json; both name the request', async () => {
  const running = await startGateway([]);
  try {
    const ask = (accept: string) =>
      exchangeRaw(running.port, [
        `GET / HTTP/1.1\r\nHost: gone.demo.localhost\r\nAccept: ${accept}\r\nX-Request-Id: abc-1\r\nConnection: close\r\n\r\n`,
      ]);
    const page = await ask('text/html,*/*');
    expect(page.text).toMatch(/404 Not Found[\s\S]*text\/html[\s\S]*X-Request-Id: abc-1[\s\S]*gone\.demo\.localhost/);
    const problem = await ask('*/*');
    expect(problem.text).toMatch(/application\/problem\+json[\s\S]*"code":"gateway\.no_route"/);
  } finally {
    await running.close();
  }
});

/** A client that keeps its connection. */
function keptClient(port: number) {
  const socket = connect(port, '127.0.0.1');
  const seen = { text: '', ended: false };
  socket.on('data', (chunk) => {
    seen.text += chunk.toString('latin1');
  });
  socket.on('end', () => {
    seen.ended = true;
  });
  return { seen, socket, ask: (path: string) => socket.write(`GET ${path} HTTP/1.1\r\n${HEAD}\r\n`) };
}

test('a client that asks again before it can know of a stop is answered, and told then', async () => {
  const halves: ServerResponse[] = [];
  const instance = await startInstance((request, response) => {
    if (request.url !== '/half') {
      response.end('whole');
      return;
    }
    halves.push(response);
    response.writeHead(200, { 'content-length': 4 }).write('ha');
  });
  const running = await startGateway([route([target([instance.port])])], {
    limits: { drainMs: 3_600_000, drainIdleMs: 3_600_000 },
  });
  const [idle, midway] = [keptClient(running.port), keptClient(running.port)];
  try {
    idle.ask('/first');
    midway.ask('/half');
    await until(() => idle.seen.text.endsWith('whole') && midway.seen.text.endsWith('ha'), 15_000);
    const stopped = running.gateway.stop();
    halves[0]?.end('lf');
    await until(() => midway.seen.text.endsWith('half'), 15_000);
    for (const client of [idle, midway]) {
      client.seen.text = '';
      client.ask('/again');
    }
    await until(() => idle.seen.ended && midway.seen.ended, 15_000);
    for (const { seen } of [idle, midway]) {
      expect(statusOf(seen.text)).toBe(200);
      expect(seen.text).toMatch(/Connection: close\r\n[\s\S]*whole$/);
    }
    await stopped;
  } finally {
    idle.socket.destroy();
    midway.socket.destroy();
    await running.close();
    instance.close();
  }
});

test('a stop ends a connection that stays idle, though its client asked a moment ago', async () => {
  const instance = await startInstance((_request, response) => response.end('whole'));
  const running = await startGateway([route([target([instance.port])])], {
    limits: { drainMs: 3_600_000, drainIdleMs: 300 },
  });
  const client = keptClient(running.port);
  try {
    client.ask('/');
    await until(() => client.seen.text.endsWith('whole'), 15_000);
    await running.gateway.stop();
    await until(() => client.seen.ended, 15_000);
  } finally {
    client.socket.destroy();
    await running.close();
    instance.close();
  }
});

test('a stop lets the request in flight end, takes nothing new, and does not wait for idle connections', async () => {
  const waiting: ServerResponse[] = [];
  const instance = await startInstance((_request, response) => {
    waiting.push(response);
  });
  // Whoever waits for the bound does not end within the test.
  const running = await startGateway([route([target([instance.port])])], { limits: { drainMs: 3_600_000 } });
  const idle = connect(running.port, '127.0.0.1');
  const answer = exchangeRaw(running.port, [`GET / HTTP/1.1\r\n${HEAD}\r\n`], { waitMs: 10_000 });
  try {
    await until(() => waiting.length === 1, 10_000);
    const stopped = running.gateway.stop();
    await until(() => running.gateway.ready().checks['listening'] !== 'ok', 10_000);
    expect((await exchangeRaw(running.port, [`GET / HTTP/1.1\r\n${HEAD}\r\n`])).ended).toBe('reset');
    waiting[0]?.end('late');
    const { text } = await answer;
    expect(statusOf(text)).toBe(200);
    expect(text).toMatch(/Connection: close\r\n[\s\S]*late$/);
    await stopped;
  } finally {
    idle.destroy();
    await running.close();
    instance.close();
  }
});
