import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, portIsFree } from './port.ts';

test('ports are free, named once each, and not of those that outgoing connections get', async () => {
  const ports = await Promise.all(Array.from({ length: 20 }, freePort));
  expect(new Set(ports).size).toBe(20);
  const outgoing = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => outgoing.once('listening', resolve));
  const address = outgoing.address();
  const taken = typeof address === 'object' && address ? address.port : 0;
  expect(await portIsFree(taken)).toBe(false);
  // What the kernel gives is of its range.
  for (const port of ports) expect(port).toBeLessThan(taken);
  await new Promise((resolve) => outgoing.close(resolve));
});
