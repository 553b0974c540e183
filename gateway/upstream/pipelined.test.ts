import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { route, startGateway, target } from '../harness/gateway.ts';
import { exchangeRaw } from '../harness/raw-client.ts';
import { type RecordedConnection, startUpstream } from '../harness/upstream.ts';

const HEAD = 'Host: hello.demo.localhost\r\n';
const POLICY = { invoker: 'public' as const, allow: [], deny: [], rateLimits: [], waitingPage: false, slowStartMs: 0 };

const pathsOf = ({ received }: RecordedConnection) =>
  [...received.matchAll(/(?:GET|HEAD|POST) (\/\S*) HTTP/g)].map(([, path = '']) => path);

function ok(path: string): string {
  const body = `this is ${path}`;
  return `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

/** Instance and gateway; `answer` is what it says to a path, or null for nothing yet. */
async function start(
  answer: (path: string, connection: RecordedConnection) => string | null,
  pipelining: { depth: number; heldUpMs: number } | null = { depth: 8, heldUpMs: 10_000 },
) {
  const answered = new Map<RecordedConnection, number>();
  const upstream = await startUpstream((connection) => {
    const paths = pathsOf(connection);
    for (let index = answered.get(connection) ?? 0; index < paths.length; index += 1) {
      const text = answer(paths[index] ?? '', connection);
      if (text === null) return;
      answered.set(connection, index + 1);
      connection.socket.write(text, 'latin1');
    }
  });
  const running = await startGateway([
    { ...route([target([upstream.port])]), policy: { ...POLICY, ...(pipelining === null ? {} : { pipelining }) } },
  ]);
  const ask = async (path: string, method = 'GET', more = '') => {
    const request = `${method} ${path} HTTP/1.1\r\n${HEAD}Connection: close\r\n${more}\r\n`;
    return (await exchangeRaw(running.port, [request], { waitMs: 10_000 })).text;
  };
  return {
    upstream,
    port: running.port,
    ask,
    async close() {
      await running.close();
      await upstream.close();
    },
  };
}

const five = ['/1', '/2', '/3', '/4', '/5'];

test('without the policy each request has its connection; with it reads share one, others never do', async () => {
  for (const pipelining of [null, { depth: 8, heldUpMs: 10_000 }]) {
    const held: (() => void)[] = [];
    const { upstream, ask, close } = await start((path, { socket }) => {
      if (path === '/first') return ok(path);
      held.push(() => socket.write(ok(path)));
      return '';
    }, pipelining);
    try {
      await ask('/first');
      const answers = [...five.map((path) => ask(path)), ask('/post', 'POST', 'Content-Length: 0\r\n')];
      await expect.poll(() => held.length, { timeout: 10_000 }).toBe(6);
      expect(upstream.connections.map((connection) => pathsOf(connection).length).sort()).toEqual(
        pipelining === null ? [1, 1, 1, 1, 1, 2] : [1, 6],
      );
      for (const tell of held) tell();
      for (const [index, text] of (await Promise.all(answers)).entries())
        expect(text).toContain(`this is ${[...five, '/post'][index]}`);
    } finally {
      await close();
    }
  }
});

test('a slow answer holds up those behind it for no longer than its bound: they go another way', async () => {
  let tell: () => void = () => undefined;
  const { upstream, ask, close } = await start(
    (path, { socket }) => {
      if (path !== '/slow') return ok(path);
      tell = () => socket.write(ok(path));
      return null;
    },
    { depth: 8, heldUpMs: 30 },
  );
  try {
    await ask('/first');
    const slow = ask('/slow');
    await expect.poll(() => upstream.received(), { timeout: 10_000 }).toContain('/slow');
    for (const [index, text] of (await Promise.all(five.map((path) => ask(path)))).entries())
      expect(text).toContain(`this is ${five[index]}`);
    tell();
    expect(await slow).toContain('this is /slow');
    // What the instance still answers on the old connection belongs to nobody, so it ends.
    await expect.poll(() => upstream.connections[0]?.socket.destroyed, { timeout: 10_000 }).toBe(true);
  } finally {
    await close();
  }
});

test('an instance that ends its connection after a response: those behind go elsewhere, whole', async () => {
  let firsts = 0;
  const { ask, close } = await start((path) => {
    if (path !== '/1') return ok(path);
    firsts += 1;
    return ok(path).replace('\r\n', '\r\nConnection: close\r\n');
  });
  try {
    await ask('/first');
    for (const [index, text] of (await Promise.all(five.map((path) => ask(path)))).entries())
      expect(text).toContain(`this is ${five[index]}`);
    expect(firsts).toBe(1);
  } finally {
    await close();
  }
});

test('more than was asked, or no HTTP at all, ends the connection and reaches no other request', async () => {
  const lies: Readonly<Record<string, string>> = {
    'a response more than requests': ok('/1') + ok('/stray'),
    'a body that HEAD must not have': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n\r\nx',
    noise: 'what?\r\n\r\n',
    'two lengths': 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd',
    'a change of protocol': 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n',
  };
  for (const [name, lie] of Object.entries(lies)) {
    const { upstream, ask, close } = await start((path) => (path === '/lie' ? lie : ok(path)));
    try {
      await ask('/first');
      await ask('/lie', name.includes('HEAD') ? 'HEAD' : 'GET');
      await expect.poll(() => upstream.connections[0]?.socket.destroyed, { message: name, timeout: 10_000 }).toBe(true);
      for (const [index, text] of (await Promise.all(five.map((path) => ask(path)))).entries())
        expect(text, name).toContain(`this is ${five[index]}`);
    } finally {
      await close();
    }
  }
});

test('a client that leaves takes no response from those behind it, and alone it ends the connection', async () => {
  const held: (() => void)[] = [];
  const { upstream, port, ask, close } = await start((path, { socket }) => {
    if (path === '/first') return ok(path);
    held.push(() => socket.write(ok(path)));
    return '';
  });
  const leaving = (path: string) => {
    const socket = connect(port, '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\n${HEAD}\r\n`);
    return socket;
  };
  try {
    await ask('/first');
    const gone = leaving('/leaves');
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(1);
    const staying = ask('/stays');
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(2);
    gone.destroy();
    for (const tell of held) tell();
    expect(await staying).toContain('this is /stays');
    const alone = leaving('/alone');
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(3);
    expect(upstream.connections).toHaveLength(1);
    alone.destroy();
    await expect.poll(() => upstream.connections[0]?.socket.destroyed, { timeout: 10_000 }).toBe(true);
  } finally {
    await close();
  }
});
