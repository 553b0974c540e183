import { statSync, utimesSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Logger, silentLogger, systemClock } from '@skyrun/kit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Acme } from './acme.ts';

let directory: string;
/** An authority that knows nothing, so that every order fails at once. */
let authority: Server;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skyrun-acme-'));
  authority = createServer((_request, response) => response.writeHead(404).end());
  await new Promise<void>((resolve) => authority.listen(0, '127.0.0.1', resolve));
});
afterEach(async () => {
  authority.closeAllConnections();
  await new Promise((resolve) => authority.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

const acmeOf = (hosts: readonly string[], logger: Logger = silentLogger) =>
  new Acme({
    directoryUrl: `http://127.0.0.1:${(authority.address() as AddressInfo).port}/dir`,
    email: null,
    trust: null,
    hosts: () => hosts,
    directory,
    onIssued: async () => undefined,
    clock: systemClock,
    logger,
  });

test('an answer that cannot be read is none, and no request fails of it', async () => {
  const acme = acmeOf([]);
  await acme.start();
  const token = 'a'.repeat(43);
  await mkdir(join(directory, 'acme', 'challenges', token));
  expect(acme.challenge(`/.well-known/acme-challenge/${token}`)).toBeNull();
  await acme.stop();
});

test('whoever orders for many hosts keeps the lock fresh, so that no other gateway takes it over', async () => {
  const lock = join(directory, 'acme', 'lock');
  const ages: number[] = [];
  const logger = Object.assign(Object.create(silentLogger), {
    error() {
      ages.push(systemClock.now() - statSync(lock).mtimeMs);
      // As if the host had taken an hour.
      utimesSync(lock, new Date(0), new Date(0));
    },
  });
  const acme = acmeOf(['one.test', 'two.test'], logger);
  await acme.start();
  await expect.poll(() => ages.length, { timeout: 15_000 }).toBe(2);
  for (const age of ages) expect(age).toBeLessThan(60_000);
  await acme.stop();
});
