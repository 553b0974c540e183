import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { freePort } from './infra/index.ts';
import { ROOT } from './root.ts';

const run = promisify(execFile);
const skyrun = (...args: string[]) => run(join(ROOT, 'skyrun'), args, { maxBuffer: 10_000_000 });

interface StatusJson {
  readonly supervisorPid: number;
  readonly installation: string;
  readonly phase: string;
  readonly processes: readonly {
    readonly name: string;
    readonly pid: number;
    readonly restarts: number;
    readonly state: string;
  }[];
}

async function statusOf(dataDir: string): Promise<StatusJson> {
  const { stdout } = await skyrun('status', '--json', '--data-dir', dataDir).catch(
    (error: { stdout: string }) => error,
  );
  return JSON.parse(stdout);
}

function sampleAnswers(port: number): Promise<number> {
  return new Promise((resolve) => {
    request({ host: '127.0.0.1', port, headers: { host: 'sample.demo.localhost' }, agent: false }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    })
      .on('error', () => resolve(0))
      .end();
  });
}

/** Everything that runs out of `dataDir` or names it, but for what the test itself runs. */
async function leftovers(dataDir: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid,args']);
  return stdout.split('\n').filter((line) => line.includes(dataDir) && !/ ps -eo| vitest/.test(line));
}

async function containersOf(installation: string): Promise<string[]> {
  const { stdout } = await run('docker', ['ps', '-aq', '--filter', `label=dev.skyrun.installation=${installation}`]);
  return stdout.split('\n').filter((line) => line !== '');
}

const directories: string[] = [];
async function place(): Promise<{ dataDir: string; port: number; flags: string[] }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'skyrun-e2e-'));
  directories.push(dataDir);
  const port = await freePort();
  return { dataDir, port, flags: ['--data-dir', dataDir, '--port', String(port), '--while', String(process.pid)] };
}

afterEach(async () => {
  for (const dataDir of directories) await skyrun('down', '--data-dir', dataDir);
});
afterAll(() => {
  for (const dataDir of directories) rmSync(dataDir, { recursive: true, force: true });
});

test('up, up again, down, up: the service is back as it was', async () => {
  const { dataDir, port, flags } = await place();
  const began = performance.now();
  const first = await skyrun('up', ...flags);
  const fresh = performance.now() - began;
  expect(first.stdout).toContain(`http://sample.demo.localhost:${port}/`);
  expect(first.stdout).toContain('admin@skyrun.local');
  expect(await sampleAnswers(port)).toBe(200);
  const before = await statusOf(dataDir);
  expect(before.processes.map((each) => each.state)).toEqual(before.processes.map(() => 'ready'));

  const from = performance.now();
  await skyrun('up', ...flags);
  const again = performance.now() - from;
  const after = await statusOf(dataDir);
  expect(after.processes.map((each) => each.pid)).toEqual(before.processes.map((each) => each.pid));
  await expect(skyrun('up', '--data-dir', dataDir, '--port', String(port + 1))).rejects.toMatchObject({ code: 1 });

  await skyrun('down', '--data-dir', dataDir);
  expect(await leftovers(dataDir)).toEqual([]);
  expect(await containersOf(before.installation)).toEqual([]);
  await expect(skyrun('status', '--data-dir', dataDir)).rejects.toMatchObject({ code: 1 });

  const restarted = performance.now();
  await skyrun('up', ...flags);
  const back = performance.now() - restarted;
  expect(await sampleAnswers(port)).toBe(200);
  console.info(`second up: ${Math.round(again)} ms while running, ${Math.round(back)} ms after down`);
  // Against the first in the same run: how long either takes is the machine's matter.
  expect(again).toBeLessThan(fresh);
});

test('what is killed comes back; what a killed supervisor leaves is found by the next up', async () => {
  const { dataDir, port, flags } = await place();
  await skyrun('up', ...flags);
  const before = await statusOf(dataDir);
  const containers = await containersOf(before.installation);
  expect(containers).toHaveLength(1);

  for (const name of ['control', 'gateway-1'])
    process.kill(before.processes.find((each) => each.name === name)?.pid ?? 0, 'SIGKILL');
  await expect
    .poll(
      async () =>
        (await statusOf(dataDir)).processes.filter((each) => each.state === 'ready' && each.restarts === 1).length,
      { interval: 200 },
    )
    .toBe(2);
  // The gateway begins with the routes it had; what had changed in its last moment it hears when the registry is back.
  await expect.poll(() => sampleAnswers(port), { interval: 200 }).toBe(200);

  process.kill((await statusOf(dataDir)).supervisorPid, 'SIGKILL');
  await expect.poll(() => leftovers(dataDir)).toEqual([]);
  expect(await containersOf(before.installation)).toEqual(containers);

  await skyrun('up', ...flags);
  expect(await sampleAnswers(port)).toBe(200);
  expect(await containersOf(before.installation)).toEqual(containers);
});

test('with --while it ends when that process has ended', async () => {
  const { dataDir, port } = await place();
  const owner = spawn('sleep', ['600'], { stdio: 'ignore' });
  await skyrun('up', '--data-dir', dataDir, '--port', String(port), '--while', String(owner.pid));
  const { installation } = await statusOf(dataDir);
  owner.kill('SIGKILL');
  await expect.poll(() => leftovers(dataDir), { interval: 200 }).toEqual([]);
  expect(await containersOf(installation)).toEqual([]);
});

test('in the foreground Ctrl-C stops all', async () => {
  const { dataDir, port, flags } = await place();
  const attached = spawn(join(ROOT, 'skyrun'), ['up', '--foreground', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  attached.stdout.on('data', (text: Buffer) => {
    output += text.toString();
  });
  const ended = new Promise<number | null>((resolve) => attached.once('exit', resolve));
  await expect.poll(() => output, { timeout: 120_000 }).toContain('Ctrl-C stops everything');
  expect(await sampleAnswers(port)).toBe(200);
  const { installation } = await statusOf(dataDir);
  attached.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(await leftovers(dataDir)).toEqual([]);
  expect(await containersOf(installation)).toEqual([]);
});

describe('the distributed shape', () => {
  test('comes up with a process per service and events over RabbitMQ', async () => {
    const { dataDir, port, flags } = await place();
    await skyrun('up', '--distributed', ...flags);
    expect(await sampleAnswers(port)).toBe(200);
    const { processes } = await statusOf(dataDir);
    expect(processes.map((each) => each.name)).toEqual(
      expect.arrayContaining(['rabbitmq', 'identity', 'registry', 'orchestrator', 'events', 'billing', 'gateway-1']),
    );
    await skyrun('down', '--data-dir', dataDir);
    expect(await leftovers(dataDir)).toEqual([]);
    expect(existsSync(join(dataDir, 'secrets.json'))).toBe(true);
    expect(readFileSync(join(dataDir, 'logs', 'registry.log'), 'utf8')).not.toContain(
      JSON.parse(readFileSync(join(dataDir, 'secrets.json'), 'utf8')).postgresPassword,
    );
  });
});
