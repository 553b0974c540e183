import { once } from 'node:events';
import { createServer } from 'node:net';

export interface Lock {
  release(): Promise<void>;
}

/**
 * Hold `name` on this machine, or null when a living process holds it. It is an abstract socket: the kernel frees it when
 * the holder dies, however it dies, so there is no stale lock to detect and none to remove by mistake.
 */
export async function tryLock(name: string): Promise<Lock | null> {
  const server = createServer((socket) => socket.destroy());
  const failed = new Promise<NodeJS.ErrnoException>((resolve) => server.once('error', resolve));
  server.listen(`\0skyrun/${name}`);
  const error = await Promise.race([failed, once(server, 'listening').then(() => null)]);
  if (error?.code === 'EADDRINUSE') return null;
  if (error) throw error;
  // Held, not served: it must not keep a process alive that has nothing else to do.
  server.unref();
  return {
    release: async () => {
      if (!server.listening) return;
      server.close();
      await once(server, 'close');
    },
  };
}
