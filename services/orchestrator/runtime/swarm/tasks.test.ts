import { expect, test } from 'vitest';
import { newestTask, publishedPort, type SwarmTask, startFailure, swarmTask, taskState } from './tasks.ts';

const taskOf = (status: Partial<SwarmTask['Status']>, fields: Partial<SwarmTask> = {}): SwarmTask => ({
  ID: 't1',
  ServiceID: 's1',
  NodeID: 'n1',
  CreatedAt: '2026-01-01T00:00:00Z',
  Status: { State: 'running', Err: '', ...status },
  ...fields,
});

test.each([
  ['pending', 'created'],
  ['preparing', 'created'],
  ['starting', 'created'],
  ['running', 'running'],
  ['complete', 'exited'],
  ['failed', 'exited'],
  ['rejected', 'exited'],
  ['shutdown', 'exited'],
  ['orphaned', 'exited'],
])('a task that is %s makes an instance %s', (state, expected) => {
  expect(taskState(taskOf({ State: state }))).toBe(expected);
});

test('a service without a task yet is created', () => {
  expect(taskState(undefined)).toBe('created');
});

test.each([
  [{ State: 'rejected', Err: 'No such image: x' }, 'No such image: x'],
  [{ State: 'failed', Err: 'starting container failed: no such file' }, 'starting container failed: no such file'],
  [{ State: 'failed', Err: 'task: non-zero exit (7)' }, null],
  [{ State: 'complete', Err: '' }, null],
])('%j failed to start: %s', (status, expected) => {
  expect(startFailure(taskOf(status))).toBe(expected);
});

test('the port is the one that the node chose for the target', () => {
  const ports = [
    { TargetPort: 9090, PublishedPort: 1 },
    { TargetPort: 8080, PublishedPort: 32_768 },
  ];
  expect(publishedPort(taskOf({ PortStatus: { Ports: ports } }), 8080)).toBe(32_768);
  expect(publishedPort(taskOf({}), 8080)).toBeUndefined();
});

test('the newest task counts, and a task as the API writes it is read', () => {
  const old = taskOf({ State: 'failed' });
  const young = taskOf({}, { ID: 't2', CreatedAt: '2026-01-02T00:00:00Z' });
  expect(newestTask([old, young])?.ID).toBe('t2');
  const raw = { ID: 'a', ServiceID: 'b', CreatedAt: 'c', Status: { State: 'new', PortStatus: {} } };
  expect(swarmTask.parse(raw)).toMatchObject({ NodeID: '', Status: { Err: '' } });
});
