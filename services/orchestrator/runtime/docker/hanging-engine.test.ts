import { createServer, type RequestListener } from 'node:http';
import { join } from 'node:path';
import { ManualClock, silentLogger, systemClock } from '@skyrun/kit';
import { temporaryDirectory } from '@skyrun/testing';
import { afterEach, expect, test } from 'vitest';
import { instanceSpec } from '../../testing/instance-spec.ts';
import { createDockerClient } from './client.ts';
import { createDockerRuntime } from './docker-runtime.ts';
import { INSTALLATION_LABEL, writeLabels } from './labels.ts';
import { watchEngine } from './watch.ts';

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Answers what `answer` answers, and takes every other question without a word. */
async function startEngine(answer: RequestListener): Promise<string> {
  const directory = temporaryDirectory('engine');
  const socketPath = join(directory.path, 'docker.sock');
  const server = createServer((request, response) => {
    request.resume();
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(socketPath, resolve));
  ends.push(() => {
    server.closeAllConnections();
    server.close();
    directory.remove();
  });
  return socketPath;
}

const LABELS = (instanceId: string) => ({
  ...writeLabels('test', instanceSpec({ instanceId })),
  [INSTALLATION_LABEL]: 'test',
});
const NETWORKS = { 'skyrun-test-demo': { IPAddress: '10.0.0.2' } };

test('a container about which the engine says nothing does not hide the others, and the list tells what it is', async () => {
  const listed = ['hangs', 'answers'].map((id) => ({
    State: 'running',
    Labels: LABELS(id),
    NetworkSettings: { Networks: NETWORKS },
  }));
  const details = {
    Config: { Labels: LABELS('answers') },
    State: { Running: true, Status: 'running', StartedAt: '2026-01-01T00:00:00Z', FinishedAt: '' },
    NetworkSettings: { Networks: NETWORKS },
  };
  const socketPath = await startEngine((request, response) => {
    const path = request.url?.split('?')[0] ?? '';
    if (path === '/containers/json') response.end(JSON.stringify(listed));
    if (path === '/containers/skyrun-test-answers/json') response.end(JSON.stringify(details));
  });
  const runtime = createDockerRuntime({
    socketPath,
    installation: 'test',
    networkPool: '10.210.0.0/16',
    networkPrefix: 26,
    egress: true,
    pidsLimit: 16,
    clock: systemClock,
    logger: silentLogger,
  });
  const found = await runtime.list();
  expect(found).toMatchObject([
    { identity: { instanceId: 'hangs' }, state: 'running', address: '10.0.0.2' },
    { identity: { instanceId: 'answers' }, state: 'running', address: '10.0.0.2', startedAt: 1_767_225_600_000 },
  ]);
});

test('an engine that takes the question for its events and says nothing is asked again', async () => {
  let asked = 0;
  const socketPath = await startEngine((_request, response) => {
    asked += 1;
    if (asked > 1) response.flushHeaders();
  });
  const clock = new ManualClock();
  const over = new AbortController();
  const options = { installation: 'test', clock, logger: silentLogger };
  const changes = watchEngine(createDockerClient({ socketPath }), options, over.signal)[Symbol.asyncIterator]();
  const first = changes.next();
  await expect.poll(() => asked).toBe(1);
  await expect
    .poll(async () => {
      await clock.advance(5_000);
      return asked;
    })
    .toBe(2);
  expect(await first).toEqual({ done: false, value: { instanceId: null } });
  over.abort();
  await changes.return?.();
});
