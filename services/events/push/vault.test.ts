import { expect, it } from 'vitest';
import { createVault } from './vault.ts';

const secret = { value: 'whsec_abc', createdAt: '2026-01-01T00:00:00.000Z' };
const vault = createVault('k'.repeat(40));

it('opens what it kept, for the same subscription and under the same key only', () => {
  const kept = vault.keep(secret, 'sub_1');
  expect(kept.value).not.toContain('abc');
  expect(vault.open(kept, 'sub_1')).toBe('whsec_abc');
  expect(vault.open(kept, 'sub_2')).toBeNull();
  expect(createVault('x'.repeat(40)).open(kept, 'sub_1')).toBeNull();
});

it('seals what is sealed no second time, and reads what an older version kept', () => {
  const kept = vault.keep(secret, 'sub_1');
  expect(vault.keep(kept, 'sub_1')).toEqual(kept);
  expect(vault.open(secret, 'sub_1')).toBe('whsec_abc');
});
