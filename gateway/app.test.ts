import { once } from 'node:events';
import { connect } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { prepareGateway, route, target } from './harness/gateway.ts';

function isOpen(address: () => unknown): boolean {
  try {
    address();
    return true;
  } catch {
    return false;
  }
}

async function refusal(port: number): Promise<string | undefined> {
  const [error] = await once(connect(port, 'localhost'), 'error');
  return (error as NodeJS.ErrnoException).code;
}

test('a stop that comes while it begins to listen closes all of the port, and the start knows its address', async () => {
  // Looked up by another thread, so that there are turns between the admin port, which is first, and this one.
  const host = 'localhost';
  const { gateway, close } = await prepareGateway([route([target([1])])], { reusePort: true, host });
  try {
    const known = gateway.start().then((listens) => (listens ? gateway.address().port : null));
    while (!isOpen(() => gateway.adminAddress())) await nextTurn();
    expect(gateway.ready().checks['listening']).toBe('not yet');
    await gateway.stop();
    const port = await known;
    expect(port).not.toBeNull();
    expect(await refusal(port ?? 0)).toBe('ECONNREFUSED');
  } finally {
    await close();
  }
});

test('one that is stopped before it listens never does', async () => {
  const { gateway, close } = await prepareGateway([route([target([1])])]);
  try {
    const starting = gateway.start();
    await gateway.stop();
    expect(await starting).toBe(false);
    expect(() => gateway.address()).toThrow('does not listen');
  } finally {
    await close();
  }
});
