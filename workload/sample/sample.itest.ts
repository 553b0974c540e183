import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSampleArchive } from './build.ts';

const run = promisify(execFile);
const docker = async (...args: string[]): Promise<string> => (await run('docker', args)).stdout.trim();

const directory = mkdtempSync(join(tmpdir(), 'sample-'));
const name = `skyrun-sample-test-${randomBytes(4).toString('hex')}`;
let image = '';
let origin = '';

/** As the orchestrator starts it: nothing writable but /tmp, no capabilities, not root. */
async function start(...flags: string[]): Promise<{ id: string; origin: string }> {
  const sandbox = [
    '--read-only',
    '--cap-drop=ALL',
    '--security-opt=no-new-privileges',
    '--tmpfs=/tmp',
    '--memory=128m',
  ];
  const id = await docker(
    'run',
    '-d',
    `--label=${name}`,
    '-p',
    '127.0.0.1::8080',
    '-e',
    'PORT=8080',
    '-e',
    'K_SERVICE=probe',
    ...sandbox,
    ...flags,
    image,
  );
  const address = `http://${(await docker('port', id, '8080')).split('\n')[0]}`;
  for (;;) {
    const ok = await fetch(`${address}/healthz`).then(
      (response) => response.ok,
      () => false,
    );
    if (ok) return { id, origin: address };
    await sleep(10);
  }
}

beforeAll(async () => {
  const archive = await buildSampleArchive({
    destination: join(directory, 'sample.tar'),
    format: 'docker',
    name,
    tag: 'test',
  });
  await docker('load', '-i', archive.path);
  image = archive.configDigest;
  expect(await docker('inspect', '-f', '{{.Id}}', `${name}:test`)).toBe(archive.configDigest);
  origin = (await start()).origin;
});

afterAll(async () => {
  const left = await docker('ps', '-aq', '--filter', `label=${name}`);
  if (left !== '') await docker('rm', '-f', ...left.split('\n'));
  await docker('rmi', `${name}:test`).catch((error: Error) => console.error(error.message));
  rmSync(directory, { recursive: true, force: true });
});

test('both archive formats hold the same image, and a second build is the same to the byte', async () => {
  const cacheDir = join(directory, 'layers');
  const oci = await buildSampleArchive({ destination: join(directory, 'oci.tar'), format: 'oci', cacheDir });
  const again = await buildSampleArchive({ destination: join(directory, 'again.tar'), format: 'docker', cacheDir });
  expect(oci.configDigest).toBe(image);
  expect(again.configDigest).toBe(image);
  const { stdout } = await run('tar', ['-tf', oci.path]);
  expect(stdout.split('\n')).toEqual(expect.arrayContaining(['oci-layout', 'index.json']));
});

describe('the endpoint', () => {
  test('/ greets with the service', async () => {
    const response = await fetch(origin);
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('probe');
  });

  test('/echo shows headers, environment and body', async () => {
    const response = await fetch(`${origin}/echo?x=1`, {
      method: 'POST',
      body: 'hello',
      headers: { 'x-probe': 'yes' },
    });
    expect(await response.json()).toMatchObject({
      method: 'POST',
      url: '/echo?x=1',
      headers: { 'x-probe': 'yes' },
      environment: { PORT: '8080', K_SERVICE: 'probe' },
      body: 'hello',
    });
  });

  test.each([
    ['/burn?ms=50', 45],
    ['/sleep?ms=50', 45],
    ['/hold?mib=4&ms=50', 45],
  ])('%s takes its time', async (path, least) => {
    const from = performance.now();
    const response = await fetch(origin + path);
    expect(response.status).toBe(200);
    expect(performance.now() - from).toBeGreaterThanOrEqual(least);
  });

  test('/healthz answers while /burn runs', async () => {
    let burnt = false;
    const burning = fetch(`${origin}/burn?ms=3000`).then(() => {
      burnt = true;
    });
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    expect(burnt).toBe(false);
    await burning;
  });

  test('/stream comes chunk by chunk', async () => {
    const times: number[] = [];
    await new Promise<void>((resolve, reject) => {
      get(`${origin}/stream?chunks=4&intervalMs=300`, (response) => {
        response.on('data', () => times.push(performance.now()));
        response.on('end', resolve);
      }).on('error', reject);
    });
    expect(times.length).toBe(4);
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBeGreaterThan(300);
  });

  test.each([
    ['/fail?status=503', 503],
    ['/fail', 500],
    ['/burn?ms=-1', 400],
    ['/sleep?ms=x', 400],
    ['/nothing', 404],
  ])('%s answers %i', async (path, status) => {
    expect((await fetch(origin + path)).status).toBe(status);
  });

  test('/ws echoes text and large binary messages', async () => {
    const socket = new WebSocket(`${origin.replace('http', 'ws')}/ws`);
    socket.binaryType = 'arraybuffer';
    await once(socket, 'open');
    const echoed: unknown[] = [];
    socket.addEventListener('message', (event) => echoed.push(event.data));
    socket.send('hello');
    socket.send(Buffer.alloc(100_000, 7));
    await expect.poll(() => echoed.length).toBe(2);
    expect(echoed[0]).toBe('hello');
    expect(echoed[1]).toHaveProperty('byteLength', 100_000);
    socket.close();
    await once(socket, 'close');
  });
});

describe('the end', () => {
  test('SIGTERM lets a request in flight finish, then ends with 0', async () => {
    const one = await start();
    const slow = fetch(`${one.origin}/sleep?ms=4000`);
    await sleep(1_500);
    await docker('kill', '-s', 'TERM', one.id);
    expect((await slow).status).toBe(200);
    expect(await docker('wait', one.id)).toBe('0');
    await docker('rm', one.id);
  });

  test('/fail?exit=3 ends the process with 3', async () => {
    const one = await start();
    await fetch(`${one.origin}/fail?exit=3`).catch((error: Error) => expect(error.message).toContain('fetch failed'));
    expect(await docker('wait', one.id)).toBe('3');
    await docker('rm', one.id);
  });
});
