import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request as plainRequest } from 'node:http';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { systemClock } from '@skyrun/kit';
import { freePort } from '@skyrun/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startEcho } from '../harness/echo-instance.ts';
import { type RunningGateway, route, startGateway, target } from '../harness/gateway.ts';
import { openDevelopmentAuthority } from './development-authority.ts';

const HOST = 'shop.example.test';
/** A tenant's own, which the operator has not named. */
const PROVED = 'www.proved.test';
const children: ChildProcess[] = [];
let directory: string;
let running: RunningGateway | undefined;
let instance: Awaited<ReturnType<typeof startEcho>> | undefined;

/** Pebble, the ACME authority that Let's Encrypt tests with, and a name server that knows every host as this machine. */
async function startAuthority(httpPort: number): Promise<{ url: string; trust: string }> {
  const [port, management, dns, dnsManagement] = await Promise.all([freePort(), freePort(), freePort(), freePort()]);
  const authority = await openDevelopmentAuthority(join(directory, 'pebble'), systemClock);
  const pair = await authority.issue('127.0.0.1');
  await writeFile(join(directory, 'pebble.crt'), pair.certificate);
  await writeFile(join(directory, 'pebble.key'), pair.key);
  await writeFile(
    join(directory, 'pebble.json'),
    JSON.stringify({
      pebble: {
        listenAddress: `127.0.0.1:${port}`,
        managementListenAddress: `127.0.0.1:${management}`,
        certificate: join(directory, 'pebble.crt'),
        privateKey: join(directory, 'pebble.key'),
        httpPort,
        tlsPort: 5001,
      },
    }),
  );
  children.push(
    spawn(
      'pebble-challtestsrv',
      [
        '-defaultIPv4',
        '127.0.0.1',
        '-defaultIPv6',
        '',
        '-dns01',
        `127.0.0.1:${dns}`,
        '-http01',
        '',
        '-https01',
        '',
      ].concat(['-tlsalpn01', '', '-management', `127.0.0.1:${dnsManagement}`]),
      { stdio: 'ignore' },
    ),
    spawn('pebble', ['-config', join(directory, 'pebble.json'), '-dnsserver', `127.0.0.1:${dns}`], {
      stdio: 'ignore',
      // It waits on purpose and refuses nonces at random unless told not to; a client must live with the latter.
      env: { PATH: '/usr/bin:/bin', PEBBLE_VA_NOSLEEP: '1' },
    }),
  );
  const url = `https://127.0.0.1:${port}/dir`;
  await until('the authority answers', async () => (await answers(url, authority.certificate)) === 200);
  await until('its name server answers', () =>
    fetch(`http://127.0.0.1:${dnsManagement}/`).then(
      () => true,
      () => false,
    ),
  );
  return { url, trust: authority.certificate };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await holds()); waited += 100) {
    if (waited > 60_000) throw new Error(`waited in vain until ${what}`);
    await systemClock.sleep(100);
  }
}

function answers(url: string, ca: string): Promise<number> {
  return new Promise((resolve) => {
    request(url, { ca, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .once('error', () => resolve(0))
      .end();
  });
}

function issuerOf(port: number, servername = HOST): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', servername, rejectUnauthorized: false }, () => {
      resolve(String(socket.getPeerCertificate().issuer?.CN));
      socket.destroy();
    });
    socket.once('error', (error) => resolve(error.message));
  });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skyrun-acme-'));
  const port = await freePort();
  const { url, trust } = await startAuthority(port);
  instance = await startEcho();
  running = await startGateway(
    [HOST, PROVED].map((host) => route([target([instance?.port ?? 0])], host)),
    {
      port,
      tls: {
        port: 0,
        certificateDir: join(directory, 'tls'),
        developmentDir: join(directory, 'tls', 'development'),
        acme: { directoryUrl: url, email: 'operator@example.test', trust, hosts: [HOST] },
      },
    },
  );
}, 180_000);

afterAll(async () => {
  await running?.close();
  await instance?.close();
  for (const child of children) child.kill('SIGKILL');
  await rm(directory, { recursive: true, force: true });
});

test('certificates are ordered for named hosts and for tenants’ own, put in force and kept; nothing of the challenge stays', async () => {
  const tlsPort = running?.gateway.tlsAddress().port ?? 0;
  for (const host of [HOST, PROVED]) {
    const issuer = expect.poll(() => issuerOf(tlsPort, host), { timeout: 60_000, interval: 250 });
    await issuer.toMatch(/^Pebble Intermediate CA/);
  }
  expect((await stat(join(directory, 'tls', `${HOST}.key`))).mode & 0o777).toBe(0o600);
  expect(await readFile(join(directory, 'tls', `${HOST}.crt`), 'utf8')).toContain('BEGIN CERTIFICATE');
  expect(await readdir(join(directory, 'tls', 'acme', 'challenges'))).toEqual([]);
  await expect.poll(() => readdir(join(directory, 'tls', 'acme'))).not.toContain('lock');
  // What nobody asked for goes to the service, as any other path.
  const path = '/.well-known/acme-challenge/not-asked-for-by-anyone';
  const status = await new Promise<number>((resolve, reject) => {
    plainRequest(
      { host: '127.0.0.1', port: running?.port, path, headers: { host: HOST }, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      },
    )
      .once('error', reject)
      .end();
  });
  expect(status).toBe(200);
  expect(instance?.seen.map(({ url }) => url)).toEqual([path]);
});
