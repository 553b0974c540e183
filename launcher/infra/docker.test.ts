import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { temporaryDirectory } from '@skyrun/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { removeContainers } from './docker.ts';

let directory: ReturnType<typeof temporaryDirectory>;
let server: Server | undefined;
beforeEach(() => {
  directory = temporaryDirectory('engine');
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  directory.remove();
});

test('a swarm’s network goes before the configuration that it is made from, as soon as no task uses it', async () => {
  const deleted: string[] = [];
  let tasks = 2;
  const answers: Record<string, unknown> = {
    info: { Swarm: { ControlAvailable: true } },
    services: [{ ID: 'one' }],
    containers: [],
    networks: [{ Id: 'c0', Name: 'skyrun-x-demo-config' }],
  };
  server = createServer((asked, response) => {
    const path = asked.url ?? '';
    const [, kind = ''] = path.split(/[/?]/);
    if (asked.method === 'GET') {
      response.writeHead(200).end(JSON.stringify(answers[kind]));
      return;
    }
    const inUse = path === '/networks/skyrun-x-demo' && tasks-- > 0;
    const early = path === '/networks/c0' && !deleted.includes('/networks/skyrun-x-demo');
    if (!inUse && !early) deleted.push(path);
    response.writeHead(inUse || early ? 403 : 204).end();
  });
  const socketPath = join(directory.path, 'docker.sock');
  await new Promise<void>((resolve) => server?.listen(socketPath, resolve));
  expect(await removeContainers(socketPath, 'x')).toBe(0);
  expect(deleted).toEqual(['/services/one', '/networks/skyrun-x-demo', '/networks/c0']);
});
