import { silentLogger } from '@skyrun/kit';
import { createDatabase } from '@skyrun/postgres';
import { testDatabase } from '@skyrun/testing';
import { expect, it } from 'vitest';
import { applyOnce, createInboxTable } from './index.ts';

it('applies once per event and consumer in a schema without Skyrun’s migrations, and again after a failed effect', async () => {
  const { url, drop } = await testDatabase('own_schema');
  const db = createDatabase({ url, schema: 'public', applicationName: 'team', logger: silentLogger });
  await createInboxTable(db);
  await createInboxTable(db);
  const event = { source: '/skyrun/registry', id: 'evt_1' };
  const effects: string[] = [];
  const apply = (consumer: string, fail = false) =>
    db.transaction((tx) =>
      applyOnce(tx, consumer, event, async () => {
        if (fail) throw new Error('effect failed');
        effects.push(consumer);
      }),
    );
  await expect(apply('mail', true)).rejects.toThrow('effect failed');
  expect(await apply('mail')).toBe(true);
  expect(await apply('mail')).toBe(false);
  expect(await apply('report')).toBe(true);
  expect(effects).toEqual(['mail', 'report']);
  await db.close();
  await drop();
});
