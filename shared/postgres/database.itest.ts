import { silentLogger } from '@skyrun/kit';
import { testDatabase } from '@skyrun/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDatabase, type Database } from './index.ts';

interface Tables {
  things: { name: string; count: number; note: string | null };
}

const folder = (name: string) => new URL(`./fixtures/${name}/`, import.meta.url);

describe('database', () => {
  let url: string;
  let drop: () => Promise<void>;
  let db: Database;
  const open = (schema: string) =>
    createDatabase({ url, schema, applicationName: 'test', poolSize: 8, logger: silentLogger });

  beforeAll(async () => {
    ({ url, drop } = await testDatabase('postgres'));
    db = open('registry');
    await db.migrate(folder('migrations'));
  });
  afterAll(async () => {
    await db.close();
    await drop();
  });

  it('migrates once, however many processes start together', async () => {
    const others = [open('twins'), open('twins'), open('twins')];
    await Promise.all(others.map((other) => other.migrate(folder('migrations'))));
    const { rows } = await db.query<{ name: string }>('select name from twins.schema_migrations order by name');
    expect(rows.map(({ name }) => name)).toEqual([
      '0001_things.sql',
      '0002_more.sql',
      'base/0001_outbox_inbox.sql',
      'base/0002_outbox_slots.sql',
    ]);
    await Promise.all(others.map((other) => other.close()));
  });

  it('refuses a migration that was changed, and a database that is newer', async () => {
    await expect(db.migrate(folder('changed'))).rejects.toMatchObject({ code: 'postgres.migration_unknown' });
    const older = open('older');
    await older.migrate(folder('changed'));
    await expect(older.migrate(folder('migrations'))).rejects.toMatchObject({ code: 'postgres.migration_changed' });
    await older.close();
  });

  it('leaves nothing of a migration that fails, and names it', async () => {
    const broken = open('broken');
    await expect(broken.migrate(folder('broken'))).rejects.toMatchObject({
      code: 'postgres.migration_failed',
      message: expect.stringContaining('0002_fails.sql'),
    });
    const { rows } = await db.query<{ half: string | null }>(`select to_regclass('broken.half') as half`);
    expect(rows[0]?.half).toBeNull();
    await broken.close();
  });

  it('commits Kysely and SQL of one transaction together, and rolls both back', async () => {
    const write = (name: string, fail: boolean) =>
      db.transaction(async (tx) => {
        await tx.kysely<Tables>().insertInto('things').values({ name, count: 1, note: null }).execute();
        await tx.query('update things set count = count + 1 where name = $1', [name]);
        if (fail) throw new Error('no');
      });
    await write('kept', false);
    await expect(write('gone', true)).rejects.toThrow('no');
    expect(await db.kysely<Tables>().selectFrom('things').select(['name', 'count']).execute()).toEqual([
      { name: 'kept', count: 2 },
    ]);
  });

  it('runs a transaction again after a serialization failure', async () => {
    await db.query(`insert into things (name) values ('counter')`);
    const bump = () =>
      db.transaction(
        async (tx) => {
          const { rows } = await tx.query<{ count: number }>(`select count from things where name = 'counter'`);
          await tx.query(`update things set count = $1 where name = 'counter'`, [(rows[0]?.count ?? 0) + 1]);
        },
        { isolation: 'serializable', attempts: 50 },
      );
    await Promise.all(Array.from({ length: 6 }, bump));
    const { rows } = await db.query<{ count: number }>(`select count from things where name = 'counter'`);
    expect(rows[0]?.count).toBe(6);
  });

  it('survives the loss of its connections, tells listeners, and hears again', async () => {
    const heard: string[] = [];
    const unlisten = await db.listen('news', (payload) => heard.push(payload));
    await db.query(`select pg_notify('news', 'one')`);
    await expect.poll(() => heard).toEqual(['one']);
    const { url: adminUrl } = { url };
    const admin = createDatabase({ url: adminUrl, schema: 'public', applicationName: 'admin', logger: silentLogger });
    await admin.query(`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'test'`);
    await expect.poll(() => heard).toEqual(['one', '']);
    await expect
      .poll(() =>
        db.ping().then(
          () => true,
          () => false,
        ),
      )
      .toBe(true);
    await db.query(`select pg_notify('news', 'two')`);
    await expect.poll(() => heard).toEqual(['one', '', 'two']);
    await unlisten();
    await admin.close();
  });

  it('tolerates closing twice, and before anything was asked', async () => {
    const unused = open('unused');
    await unused.close();
    await unused.close();
  });
});
