import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { silentLogger, systemClock } from '@skyrun/kit';
import { testRabbitUrl } from '@skyrun/testing';
import { expect, test } from 'vitest';
import { createBus } from '../index.ts';

test('a connection that breaks while it is being closed is closed all the same', async () => {
  const broker = new URL(await testRabbitUrl());
  let breaks = false;
  const sockets = new Set<Socket>();
  const link = createServer((client) => {
    const upstream = connect(Number(broker.port), broker.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
    client.on('data', (chunk) => {
      if (breaks) client.resetAndDestroy();
      else upstream.write(chunk);
    });
    upstream.pipe(client);
  });
  await new Promise<void>((resolve) => link.listen(0, '127.0.0.1', resolve));
  const through = new URL(broker);
  through.port = String((link.address() as AddressInfo).port);
  const bus = await createBus({ kind: 'rabbitmq', url: through.href, clock: systemClock, logger: silentLogger });
  await expect.poll(() => bus.ready()).toBe(true);
  breaks = true;
  await bus.close();
  for (const socket of sockets) socket.destroy();
  link.close();
}, 30_000);
