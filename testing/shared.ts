/**
 * One PostgreSQL, Redis and RabbitMQ per test run, each started when the first test asks for it.
 *
 *   vitest's main process              a test's worker
 *   shareServers() ── HTTP, loopback ──► sharedUrl('rabbitmq')
 *
 * The main process owns the servers, so they end with the run however the workers end.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { startPostgres } from './postgres.ts';
import { startRabbitmq } from './rabbitmq.ts';
import { startRedis } from './redis.ts';

export type SharedServer = 'postgres' | 'redis' | 'rabbitmq';

interface Running {
  readonly url: string;
  stop(): Promise<void>;
}

const STARTERS: Record<SharedServer, () => Promise<Running>> = {
  postgres: startPostgres,
  redis: () => startRedis(),
  rabbitmq: startRabbitmq,
};

/** Serve the addresses of the shared servers; `address` is what workers ask. */
export async function shareServers(): Promise<{ address: string; stop(): Promise<void> }> {
  const started = new Map<SharedServer, Promise<Running>>();
  const server = createServer((request, response) => {
    // A kept connection would be closed when it has been idle for seconds, now and then just as the next test asks over it.
    response.setHeader('connection', 'close');
    const name = request.url?.slice(1);
    if (name !== 'postgres' && name !== 'redis' && name !== 'rabbitmq') {
      response.writeHead(404).end();
      return;
    }
    const running = started.get(name) ?? STARTERS[name]();
    started.set(name, running);
    running.then(
      ({ url }) => response.end(url),
      (error: Error) => response.writeHead(500).end(error.message),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server of shared addresses has no port');
  return {
    address: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      server.close();
      server.closeAllConnections();
      const settled = await Promise.allSettled(started.values());
      await Promise.all(settled.map((each) => (each.status === 'fulfilled' ? each.value.stop() : undefined)));
    },
  };
}

/** The address of a shared server, starting it when this is the first request for it. */
export async function sharedUrl(address: string, name: SharedServer): Promise<string> {
  const response = await fetch(`${address}/${name}`);
  const text = await response.text();
  if (!response.ok) throw new Error(`the shared ${name} did not start: ${text}`);
  return text;
}
