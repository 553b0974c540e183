import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';

const LOWEST = 15_000;
const TRIES = 200;

/** Ports that were named before, by this process: whoever asked for one may not listen on it yet. */
const named = new Set<number>();

/**
 * A TCP port on 127.0.0.1 that nobody listens on at this moment, below the range from which the kernel takes the ports of
 * outgoing connections. Within that range a client that tries again and again to reach a server that is gone could get the
 * server's own port for its side, be connected with itself, and keep the server from coming back.
 */
export async function freePort(): Promise<number> {
  const end = firstOutgoingPort();
  for (let tries = 0; tries < TRIES && end > LOWEST + 1; tries += 1) {
    const port = randomInt(LOWEST, end);
    if (named.has(port) || !(await portIsFree(port))) continue;
    named.add(port);
    return port;
  }
  return anyPort();
}

/** As `net.ipv4.ip_local_port_range` says; Linux's own default where it cannot be read. */
function firstOutgoingPort(): number {
  try {
    return Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8'), 10);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return 32_768;
    throw error;
  }
}

async function anyPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('the listening socket has no port');
  return address.port;
}

/** Whether 127.0.0.1 would let us listen on `port` now. */
export async function portIsFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = createServer();
  const free = new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.once('listening', () => server.close(() => resolve(true)));
  });
  server.listen(port, host);
  return free;
}
