import { describe, expect, it } from 'vitest';
import { pendingMigrations } from './migrate.ts';

const file = (name: string, checksum = `sum of ${name}`) => ({ name, checksum, sql: '' });

describe('pendingMigrations', () => {
  it('returns what was not applied, in order', () => {
    const wanted = [file('base/0001_a.sql'), file('0001_b.sql'), file('0002_c.sql')];
    const applied = [file('0001_b.sql'), file('base/0001_a.sql')];
    expect(pendingMigrations(wanted, applied).map(({ name }) => name)).toEqual(['0002_c.sql']);
    expect(pendingMigrations(wanted, wanted)).toEqual([]);
  });

  it.each([
    ['changed', [file('0001_b.sql', 'another')], 'postgres.migration_changed'],
    ['unknown', [file('0003_d.sql')], 'postgres.migration_unknown'],
  ])('refuses one that is %s', (_, applied, code) => {
    expect(() => pendingMigrations([file('0001_b.sql')], applied)).toThrow(expect.objectContaining({ code }));
  });
});
