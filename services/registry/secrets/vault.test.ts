import { expect, it } from 'vitest';
import { createVault } from './vault.ts';

const OLD = 'o'.repeat(32);
const NEW = 'n'.repeat(32);
const place = { secretId: 'sec_1', version: 1 };

it('opens what it has sealed, at its place and nowhere else', () => {
  const vault = createVault(OLD);
  const sealed = vault.seal('päss\nword', place);
  expect(vault.open(sealed, place)).toBe('päss\nword');
  expect(sealed.sealed.includes('word')).toBe(false);
  expect(vault.seal('päss\nword', place).sealed.equals(sealed.sealed)).toBe(false);
  expect(() => vault.open(sealed, { ...place, version: 2 })).toThrow('another key');
  expect(() => vault.open(sealed, { ...place, secretId: 'sec_2' })).toThrow('another key');
});

it('opens what an earlier key has sealed only while it is told that key', () => {
  const sealed = createVault(OLD).seal('value', place);
  expect(createVault(NEW, OLD).open(sealed, place)).toBe('value');
  expect(createVault(NEW, OLD).keyId).toBe(createVault(NEW).keyId);
  expect(() => createVault(NEW).open(sealed, place)).toThrow('SKYRUN_SECRETS_PREVIOUS_KEY');
});
