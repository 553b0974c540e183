import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@skyrun/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { freePort } from '../infra/index.ts';
import type { ProcessSpec } from '../topology.ts';
import { createLogFiles } from './log-files.ts';
import type { ProcessReport } from './state.ts';
import { createSupervisor, type Supervisor } from './supervisor.ts';

let directory = '';
let supervisor: Supervisor | null = null;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'skyrun-supervisor-'));
});
afterEach(async () => {
  await supervisor?.stop();
  rmSync(directory, { recursive: true, force: true });
});

/** A process that listens, and writes its name into a file when it starts and when it ends. */
function listener(name: string, port: number, change: Partial<ProcessSpec> = {}): ProcessSpec {
  const program = `
    const { appendFileSync } = require('node:fs');
    const note = (what) => appendFileSync(${JSON.stringify(join(directory, 'journal'))}, what + ' ${name}\\n');
    require('node:net').createServer((socket) => socket.destroy()).listen(${port}, '127.0.0.1', () => note('start'));
    process.on('SIGTERM', () => { note('end'); process.exit(0); });`;
  return {
    name,
    port,
    startsAfter: [],
    endsBefore: [],
    command: process.execPath,
    args: ['-e', program],
    env: {},
    cwd: '/',
    account: null,
    deathSignal: 'SIGKILL',
    stopSignal: 'SIGTERM',
    stopGraceMs: 5_000,
    ready: { kind: 'tcp', port },
    readyWithinMs: 20_000,
    ...change,
  };
}

function run(specs: readonly ProcessSpec[]): {
  supervisor: Supervisor;
  report(name: string): ProcessReport | undefined;
} {
  const created = createSupervisor({
    specs,
    clock: systemClock,
    logs: createLogFiles(join(directory, 'logs'), { maxBytes: 1_000, keep: 2 }),
    onChange: () => undefined,
  });
  supervisor = created;
  return { supervisor: created, report: (name) => created.processes().find((each) => each.name === name) };
}

const journal = (): string[] => readFileSync(join(directory, 'journal'), 'utf8').trim().split('\n');

test('starts after what is needed, and ends in the opposite order', async () => {
  const store = listener('store', await freePort());
  const app = listener('app', await freePort(), { startsAfter: ['store'], endsBefore: ['store'] });
  const { supervisor: running } = run([app, store]);
  await running.start();
  await running.stop();
  expect(journal()).toEqual(['start store', 'start app', 'end app', 'end store']);
});

test('restarts what is killed, counts it, and says why', async () => {
  const { supervisor: running, report } = run([listener('app', await freePort())]);
  await running.start();
  const first = report('app')?.pid ?? 0;
  process.kill(first, 'SIGKILL');
  await expect.poll(() => report('app')).toMatchObject({ state: 'ready', restarts: 1 });
  expect(report('app')?.pid).not.toBe(first);
  expect(report('app')?.lastExit).toContain('killed by SIGKILL');
});

test('a start that cannot succeed fails with the reason and the end of the log', async () => {
  const broken = { ...listener('app', await freePort()), args: ['-e', 'console.error("no licence"); process.exit(7)'] };
  const { supervisor: running } = run([broken]);
  await expect(running.start()).rejects.toThrow(/app does not start: .*[\s\S]*no licence/);
});

test('stop may come before start, during it, and twice', async () => {
  const specs = [listener('app', await freePort())];
  const before = run(specs).supervisor;
  await before.stop();
  await before.stop();
  const during = run(specs);
  const started = during.supervisor.start().catch((error: Error) => error.message);
  await during.supervisor.stop();
  expect(await started).toBe('stopped');
  const pid = during.report('app')?.pid ?? null;
  expect(pid === null || !existsSync(`/proc/${pid}`)).toBe(true);
});

test('a log that has outgrown its limit is cut, and two old ones are kept', () => {
  const logs = createLogFiles(join(directory, 'logs'), { maxBytes: 10, keep: 2 });
  for (const round of ['first', 'second', 'third']) {
    const output = logs.open('app');
    logs.close(output);
    rmSync(logs.path('app'));
    const again = logs.open('app');
    process.getBuiltinModule('node:fs').writeSync(again, `${round} of many lines`);
    logs.close(again);
    logs.rotate();
  }
  expect(readFileSync(`${logs.path('app')}.1`, 'utf8')).toContain('third');
  expect(readFileSync(`${logs.path('app')}.2`, 'utf8')).toContain('second');
  expect(existsSync(`${logs.path('app')}.3`)).toBe(false);
  expect(logs.tail('app', 100)).toBe('');
});

test('a log is cut also where the disk does not take what was cut off, and who supervises lives on', async () => {
  const logs = createLogFiles(join(directory, 'logs'), { maxBytes: 10, keep: 1 });
  // A folder in its place stands for whatever keeps the copy from being written.
  mkdirSync(join(`${logs.path('app')}.1`, 'in-the-way'), { recursive: true });
  logs.close(logs.open('app'));
  writeFileSync(logs.path('app'), 'a line too many');
  expect(() => logs.rotate()).toThrow('older log lines are lost');
  expect(logs.tail('app', 100)).toBe('');
});
