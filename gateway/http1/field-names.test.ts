import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FieldNames } from './field-names.ts';

const NAMES = ['te', 'host', 'date', 'accept', 'cookie', 'x-api-key', 'content-length', 'x-request-id'] as const;

test('finds its names however they are spelled, and nothing else, wherever among other bytes they stand', () => {
  const names = new FieldNames(NAMES);
  const token = fc.string({ unit: fc.constantFrom(...'abehosTEHOSÉ-_@`[{\x0d7'), maxLength: 16 });
  const spelled = fc
    .tuple(fc.constantFrom(...NAMES), fc.infiniteStream(fc.boolean()))
    .map(([name, upper]) =>
      Array.from(name, (letter) => (upper.next().value ? letter.toUpperCase() : letter)).join(''),
    );
  fc.assert(
    fc.property(fc.oneof(token, spelled), token, token, (name, before, after) => {
      const bytes = Buffer.from(before + name + after, 'latin1');
      const expected = NAMES.find((each) => each === name.toLowerCase()) ?? '';
      expect(names.find(bytes, before.length, before.length + name.length)).toBe(expected);
    }),
    { numRuns: 2000 },
  );
});
