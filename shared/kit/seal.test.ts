import { describe, expect, it } from 'vitest';
import { createSeal } from './seal.ts';

const seal = createSeal('s'.repeat(32), 'a purpose');
const plain = Buffer.from('{"d":"private"}');

describe('seal', () => {
  it('opens what it sealed, and never seals the same way twice', () => {
    const sealed = seal.seal(plain, 'kid');
    expect(seal.open(sealed, 'kid')?.equals(plain)).toBe(true);
    expect(sealed.includes(plain)).toBe(false);
    expect(seal.seal(plain, 'kid').equals(sealed)).toBe(false);
  });

  it('does not open under another secret or for another row', () => {
    const sealed = seal.seal(plain, 'kid');
    expect(createSeal('t'.repeat(32), 'a purpose').open(sealed, 'kid')).toBeNull();
    expect(seal.open(sealed, 'other')).toBeNull();
  });

  it('does not open when any one byte was changed or cut', () => {
    const sealed = seal.seal(plain, 'kid');
    for (let index = 0; index < sealed.length; index += 1) {
      const changed = Buffer.from(sealed);
      changed.writeUInt8(changed.readUInt8(index) ^ 1, index);
      expect(seal.open(changed, 'kid')).toBeNull();
      expect(seal.open(sealed.subarray(0, index), 'kid')).toBeNull();
    }
  });
});
