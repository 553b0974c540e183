import { randomBytes } from 'node:crypto';
import { freePort, prepareRedis, redisUrl } from '@skyrun/launcher/infra';
import { temporaryDirectory } from './directory.ts';
import { startServer, type TestServer } from './server.ts';

export interface TestRedis extends TestServer {
  readonly url: string;
}

/** A private redis-server on a free port. `aof` keeps the data over kill() and restart(), as the product does. */
export async function startRedis(options: { aof?: boolean } = {}): Promise<TestRedis> {
  const directory = temporaryDirectory('redis');
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const prepared = prepareRedis({ dataDir: directory.path, port, password, aof: options.aof ?? false });
  const server = await startServer('redis', prepared, directory.path);
  return {
    ...server,
    url: redisUrl(port, password),
    stop: async () => {
      await server.stop();
      directory.remove();
    },
  };
}
