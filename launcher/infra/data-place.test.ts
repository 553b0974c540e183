import { existsSync, mkdirSync, mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { unprivilegedAccount } from './account.ts';
import { dataPlace } from './data-place.ts';

const account = unprivilegedAccount();
let top: string;
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), 'skyrun-place-'));
  // Only its owner may pass: what a clone in /root looks like.
  mkdirSync(join(top, 'closed'), { mode: 0o700 });
  mkdirSync(join(top, 'shared'));
});
afterEach(() => rmSync(top, { recursive: true }));

test('without another account, or where it can pass, data stays where it was wanted', () => {
  const wanted = join(top, 'closed', 'postgres');
  expect(dataPlace(wanted, null, join(top, 'shared'))).toBe(wanted);
});

test.runIf(account)('below a closed folder data lives in the shared one, and is found there again', () => {
  const wanted = join(top, 'closed', 'data', 'postgres');
  const place = dataPlace(wanted, account, join(top, 'shared'));
  expect(place.startsWith(join(top, 'shared', 'data'))).toBe(true);
  expect(readlinkSync(wanted)).toBe(place);
  expect(dataPlace(wanted, account, join(top, 'shared'))).toBe(place);
});

test.runIf(account)('what a deleted installation left is removed by the next one', () => {
  const first = dataPlace(join(top, 'closed', 'a', 'postgres'), account, join(top, 'shared'));
  rmSync(join(top, 'closed', 'a'), { recursive: true });
  const second = dataPlace(join(top, 'closed', 'b', 'postgres'), account, join(top, 'shared'));
  expect(existsSync(first)).toBe(false);
  expect(existsSync(second)).toBe(true);
  expect(readdirSync(join(top, 'shared', 'data'))).toHaveLength(1);
});
