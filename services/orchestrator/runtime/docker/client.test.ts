import { createServer } from 'node:http';
import { join } from 'node:path';
import { temporaryDirectory } from '@skyrun/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createDockerClient, sendFenced } from './client.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let close: () => void = () => undefined;
beforeEach(() => {
  directory = temporaryDirectory('engine');
});
afterEach(() => {
  close();
  directory.remove();
});

/** An engine that says yes to everything, and what it was asked. */
async function startEngine() {
  const asked: string[] = [];
  const socketPath = join(directory.path, 'docker.sock');
  const server = createServer((request, response) => {
    request.resume().once('end', () => {
      asked.push(`${request.method} ${request.url?.split('?')[0]}`);
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"Id":"one"}');
    });
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { asked, docker: createDockerClient({ socketPath }) };
}

/** May act now, and not when anything else has had its turn. */
function justNow() {
  let over = false;
  return () => {
    if (over) throw new Error('the lease ran out');
    queueMicrotask(() => {
      over = true;
    });
  };
}

test('what may not be done any more when its connection is there is not sent', async () => {
  const { asked, docker } = await startEngine();
  const made = sendFenced(justNow(), () => docker.createContainer({ Image: 'app' }));
  await expect(made).rejects.toThrow('the lease ran out');
  expect(asked).toEqual([]);
});

test('on a connection that is there it is sent in the turn in which it was allowed', async () => {
  const { asked, docker } = await startEngine();
  await docker.ping();
  await sendFenced(justNow(), () => docker.createContainer({ Image: 'app' }));
  expect(asked).toEqual(['GET /_ping', 'POST /containers/create']);
});

test('nothing is asked of who looks, and nothing is sent for one who may not act', async () => {
  const { asked, docker } = await startEngine();
  const never = () => {
    throw new Error('the lease ran out');
  };
  expect(() => sendFenced(never, () => docker.createContainer({ Image: 'app' }))).toThrow('the lease ran out');
  await docker.listContainers();
  expect(asked).toEqual(['GET /containers/json']);
});

test('an engine that is not there refuses', async () => {
  const docker = createDockerClient({ socketPath: join(directory.path, 'nobody.sock') });
  await expect(docker.ping()).rejects.toMatchObject({ code: 'ENOENT' });
});
