import { cp, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { silentLogger } from '@skyrun/kit';
import { createDatabase } from '@skyrun/postgres';
import { testDatabase } from '@skyrun/testing';
import { expect, test } from 'vitest';
import { ledgerBalances, ledgerDifferences } from '../store/ledger.ts';

const MIGRATIONS = new URL('../migrations/', import.meta.url);
const CENT = 10_000_000_000n;

/** An invoice as it was before taxes had an account of their own, with the ledger's entries of then. Cents. */
interface OldInvoice {
  readonly id: string;
  readonly state: 'open' | 'paid' | 'void';
  readonly net: number;
  readonly tax: number;
  /** In the order they were made, before it was settled. */
  readonly notes: readonly number[];
}

const OLD: readonly OldInvoice[] = [
  { id: 'open', state: 'open', net: 400, tax: 76, notes: [] },
  // 1.00 of 4.76: 0.1597 is tax; then 2.50: 0.3992, 0.24 more.
  { id: 'part', state: 'open', net: 400, tax: 76, notes: [100, 150] },
  { id: 'whole', state: 'paid', net: 400, tax: 76, notes: [] },
  { id: 'gone', state: 'void', net: 400, tax: 76, notes: [7] },
  { id: 'free', state: 'open', net: 400, tax: 0, notes: [3] },
];

test('taxes of invoices from before get out of revenue, and the ledger agrees with the documents', async () => {
  const database = await testDatabase('taxes');
  const before = await mkdtemp(join(tmpdir(), 'skyrun-migrations-'));
  const db = createDatabase({ url: database.url, schema: 'billing', applicationName: 'test', logger: silentLogger });
  try {
    for (const file of (await readdir(MIGRATIONS)).filter((name) => name < '0009')) {
      await cp(new URL(file, MIGRATIONS), join(before, file));
    }
    await db.migrate(pathToFileURL(`${before}/`));
    await db.transaction(async (tx) => {
      const run = (text: string, values: unknown[] = []) => tx.query(text, values);
      await run(`INSERT INTO billing.price_list VALUES ('list@1', 'list', 1, '{"minorUnitPlaces": 2}')`);
      for (const [index, { id, state, net, tax, notes }] of OLD.entries()) {
        const pico = (cents: number) => (BigInt(cents) * CENT).toString();
        const total = net + tax;
        const credited = notes.reduce((sum, note) => sum + note, 0);
        await run(
          `INSERT INTO billing.account (project, price_list, free_tier, created_at) VALUES ($1, 'list', false, 1)`,
          [id],
        );
        await run(
          `INSERT INTO billing.invoice (id, project, ordinal, number, state, currency, period_start, period_end,
            price_list, subtotal, credit_total, tax_total, total, created_at)
          VALUES ($1, $1, 1, $1, 'draft', 'USD', 1, 2, 'list@1', $2, 0, $3, $4, $5)`,
          [id, pico(net), pico(tax), pico(total), index + 1],
        );
        await run(`INSERT INTO billing.invoice_line VALUES ($1, 1, 'requests', 's', 'd', 1, 'u', 1, 'p', $2, 1)`, [
          id,
          pico(net),
        ]);
        if (tax > 0) await run(`INSERT INTO billing.invoice_tax VALUES ($1, 1, 'VAT', 190000, $2)`, [id, pico(tax)]);
        await run(`UPDATE billing.invoice SET state = 'open' WHERE id = $1`, [id]);
        const post = (kind: string, debit: string, credit: string, cents: number, document: string | null) =>
          run(
            `INSERT INTO billing.ledger_transfer (project, kind, ordinal, document, debit, credit, amount, at)
            VALUES ($1, $2, 1, $3, $4, $5, $6, 3)`,
            [id, kind, document, debit, credit, pico(cents)],
          );
        await post('accrued', 'unbilled', 'revenue', total, null);
        await post('invoiced', 'receivable', 'unbilled', total, id);
        for (const [place, note] of notes.entries()) {
          const noteId = `${id}-${place}`;
          await run(`INSERT INTO billing.credit_note VALUES ($1, $2, $3, $1, $2, 'r', $4, false, 4)`, [
            noteId,
            id,
            place + 1,
            pico(note),
          ]);
          await post('credited', 'revenue', 'receivable', note, noteId);
        }
        if (state === 'paid') await post('paid', 'cash', 'receivable', total - credited, id);
        if (state === 'void') await post('voided', 'revenue', 'receivable', total - credited, id);
        if (state !== 'open')
          await run(`UPDATE billing.invoice SET state = $2, settled_at = 5 WHERE id = $1`, [id, state]);
        await run(`INSERT INTO billing.period VALUES ($1, 1, 'closed', 1, 2, 0, $1)`, [id]);
      }
    });

    await db.migrate(MIGRATIONS);

    const kysely = db.kysely<unknown>();
    expect(await ledgerDifferences(kysely, null)).toEqual([]);
    const balances = async (project: string) => {
      const found = await ledgerBalances(kysely, project);
      return Object.fromEntries(
        [...found].flatMap(([name, value]) => (value === 0n ? [] : [[name, Number(value / CENT)]])),
      );
    };
    expect(await balances('open')).toEqual({ receivable: 476, revenue: -400, tax: -76 });
    expect(await balances('part')).toEqual({ receivable: 226, revenue: -190, tax: -36 });
    expect(await balances('whole')).toEqual({ cash: 476, revenue: -400, tax: -76 });
    expect(await balances('gone')).toEqual({});
    expect(await balances('free')).toEqual({ receivable: 397, revenue: -397 });
    const { rows } = await db.query<{ tax: string }>(
      `SELECT (tax / ${CENT})::text AS tax FROM billing.credit_note WHERE project = 'part' ORDER BY ordinal`,
    );
    expect(rows.map(({ tax }) => Number(tax))).toEqual([16, 24]);
  } finally {
    await db.close();
    await database.drop();
    await rm(before, { recursive: true, force: true });
  }
});
