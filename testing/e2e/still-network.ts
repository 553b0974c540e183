import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { temporaryDirectory } from '../directory.ts';
import { joined } from './joined.ts';

const INSIDE = new URL('still-network-inside.ts', import.meta.url).pathname;

export interface StillNetwork {
  /** Starts the command in the network, with the arguments that it gets. */
  readonly executable: string;
  close(): Promise<void>;
}

/**
 * A network namespace in which nothing is but loopback, and on it one port of ours. Chromium drops requests that wait for a
 * connection when the machine gets or loses an interface (ERR_NETWORK_CHANGED), and each container that starts or stops is one:
 * beside a veth that came and went, 18 of 720 fetches; in here none.
 *
 *   command ─► 127.0.0.1:port │ a socket's file, which all network namespaces see │ ─► 127.0.0.1:port
 */
export async function openStillNetwork(port: number, command: string): Promise<StillNetwork> {
  const directory = temporaryDirectory('network');
  const path = join(directory.path, 'out');
  const server = createServer({ allowHalfOpen: true }, (socket) =>
    joined(socket, connect({ port, host: '127.0.0.1', allowHalfOpen: true })),
  );
  server.listen(path);
  await once(server, 'listening');
  const inside = spawn(
    'unshare',
    ['--net', '--', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', process.execPath, INSIDE, path, String(port)],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const ended = once(inside, 'exit');
  const close = async () => {
    // Its input ends with us, however we end, and it ends with that.
    inside.stdin.end();
    await ended;
    server.close();
    directory.remove();
  };
  const first = await Promise.race([once(inside.stdout, 'data').then(() => 'ready'), ended.then(() => 'ended')]);
  if (first === 'ended') {
    await close();
    throw new Error('a network namespace cannot be made; see above');
  }
  const executable = join(directory.path, 'start');
  await writeFile(executable, `#!/bin/sh\nexec nsenter --net=/proc/${inside.pid}/ns/net -- ${command} "$@"\n`);
  await chmod(executable, 0o755);
  return { executable, close };
}
