import { randomBytes } from 'node:crypto';
import { freePort, prepareRabbitmq, rabbitmqUrl } from '@skyrun/launcher/infra';
import { temporaryDirectory } from './directory.ts';
import { startServer, type TestServer } from './server.ts';

export interface TestRabbitmq extends TestServer {
  readonly url: string;
}

/** A private RabbitMQ on free ports with its own epmd; takes a few seconds to boot. */
export async function startRabbitmq(): Promise<TestRabbitmq> {
  const directory = temporaryDirectory('rabbitmq');
  const port = await freePort();
  const password = randomBytes(12).toString('hex');
  const prepared = prepareRabbitmq({
    dataDir: directory.path,
    port,
    distributionPort: await freePort(),
    epmdPort: await freePort(),
    password,
    cookie: randomBytes(12).toString('hex'),
  });
  const epmd = await startServer('epmd', prepared.epmd, directory.path);
  try {
    const broker = await startServer('rabbitmq', prepared.broker, directory.path);
    return {
      ...broker,
      url: rabbitmqUrl(port, password),
      stop: async () => {
        await broker.stop();
        await epmd.stop();
        directory.remove();
      },
    };
  } catch (error) {
    await epmd.stop();
    directory.remove();
    throw error;
  }
}
