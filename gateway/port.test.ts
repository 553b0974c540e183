import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createPort } from './port.ts';

const SOCKET = { allowHalfOpen: true, noDelay: false };

function startPort(options: { port?: number; reusePort: boolean }) {
  const taken: Socket[] = [];
  const port = createPort({
    host: '127.0.0.1',
    port: options.port ?? 0,
    reusePort: options.reusePort,
    socket: SOCKET,
    onConnection: (socket) => taken.push(socket),
  });
  return { port, taken };
}

test('as many clients as come at once are taken within a few turns, not one in each', async () => {
  const CLIENTS = 96;
  const { port, taken } = startPort({ reusePort: true });
  const at = (await port.open()).port;
  const clients = Array.from({ length: CLIENTS }, () => connect(at, '127.0.0.1'));
  try {
    // The kernel completes them all, whoever takes them.
    await Promise.all(clients.map((client) => once(client, 'connect')));
    let turns = 0;
    for (; taken.length < CLIENTS && turns < 1000; turns += 1) await nextTurn();
    expect(taken).toHaveLength(CLIENTS);
    expect(turns).toBeLessThan(CLIENTS / 3);
  } finally {
    for (const socket of [...clients, ...taken]) socket.destroy();
    await port.close();
  }
});

test.each([true, false])(
  'nobody is taken after it was closed, and those that were are waited for (reuse: %s)',
  async (reusePort) => {
    const { port, taken } = startPort({ reusePort });
    const at = (await port.open()).port;
    expect(port.address()?.port).toBe(at);
    const client = connect(at, '127.0.0.1');
    while (taken.length === 0) await nextTurn();
    let closed = false;
    const closing = port.close().then(() => {
      closed = true;
    });
    expect(port.address()).toBeNull();
    const late = connect(at, '127.0.0.1');
    const [error] = await once(late, 'error');
    expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED');
    expect(closed).toBe(false);
    client.destroy();
    taken[0]?.destroy();
    await closing;
  },
);

test('one that is closed while it opens listens nowhere', async () => {
  const { port } = startPort({ reusePort: true });
  const opening = port.open();
  await port.close();
  const at = (await opening).port;
  const [error] = await once(connect(at, '127.0.0.1'), 'error');
  expect((error as NodeJS.ErrnoException).code).toBe('ECONNREFUSED');
});

test('a port that somebody else has for himself is an error, and nothing listens', async () => {
  const other = createServer().listen(0, '127.0.0.1');
  await once(other, 'listening');
  const { port } = startPort({ port: (other.address() as { port: number }).port, reusePort: true });
  try {
    await expect(port.open()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect(port.address()).toBeNull();
  } finally {
    other.close();
  }
});
