import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openInstallation, readInstallation } from './installation.ts';
import { tryLock } from './lock.ts';
import { isRunning, processId } from './process-id.ts';

test('secrets are made once, and only their owner can read them', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skyrun-installation-'));
  const file = join(directory, 'deep', 'secrets.json');
  expect(readInstallation(file)).toBeNull();
  const first = openInstallation(file);
  expect(openInstallation(file)).toEqual(first);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(first.adminPassword).toMatch(/^[a-z2-9]{16}$/);
  expect(first.internalToken.length).toBeGreaterThanOrEqual(32);
  const other = openInstallation(join(directory, 'other.json'));
  expect(new Set([...Object.values(first), ...Object.values(other)]).size).toBe(2 * Object.keys(first).length - 1);
  writeFileSync(file, '{}');
  expect(() => openInstallation(file)).toThrow();
  rmSync(directory, { recursive: true });
});

test('a lock has one holder, and is free again when released', async () => {
  const name = `test-${process.pid}`;
  const held = await tryLock(name);
  expect(held).not.toBeNull();
  expect(await tryLock(name)).toBeNull();
  await held?.release();
  const next = await tryLock(name);
  expect(next).not.toBeNull();
  await next?.release();
  await next?.release();
});

test('a process id with another start is another process', () => {
  const own = processId(process.pid);
  expect(isRunning(own)).toBe(true);
  expect(isRunning({ ...own, start: '1' })).toBe(false);
  expect(isRunning(processId(0x7fffffff))).toBe(false);
});
