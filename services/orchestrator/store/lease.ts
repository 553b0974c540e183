import type { Database, Transaction } from '@skyrun/postgres';
import { sql } from 'kysely';
import type { OrchestratorTables } from './tables.ts';

/** The one office that there is. */
export const LEASE_NAME = 'leader';

export interface LeaseRequest {
  readonly name: string;
  readonly holder: string;
  readonly ttlMs: number;
}

/** Thrown inside a transaction whose term is over; nothing of it takes effect. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
}

/** The new term, or null while another holds the lease. The database's clock alone decides what is expired. */
export async function acquireLease(db: Database, { name, holder, ttlMs }: LeaseRequest): Promise<bigint | null> {
  const { rows } = await sql<{ term: string }>`
    INSERT INTO leases (name, holder, term, expires_at)
    VALUES (${name}, ${holder}, 1, now() + ${ttlMs} * interval '1 millisecond')
    ON CONFLICT (name) DO UPDATE
      SET holder = excluded.holder, term = leases.term + 1, expires_at = excluded.expires_at
      WHERE leases.expires_at <= now() OR leases.holder = excluded.holder
    RETURNING term`.execute(db.kysely<OrchestratorTables>());
  const [row] = rows;
  return row ? BigInt(row.term) : null;
}

/** False when the term is over; it never comes back. */
export async function renewLease(db: Database, { name, holder, ttlMs }: LeaseRequest, term: bigint): Promise<boolean> {
  const { rows } = await sql`
    UPDATE leases SET expires_at = now() + ${ttlMs} * interval '1 millisecond'
    WHERE name = ${name} AND holder = ${holder} AND term = ${term} AND expires_at > now()
    RETURNING term`.execute(db.kysely<OrchestratorTables>());
  return rows.length === 1;
}

/** Lets the next one lead at once. */
export async function resignLease(db: Database, { name, holder }: LeaseRequest, term: bigint): Promise<void> {
  await sql`
    UPDATE leases SET expires_at = now()
    WHERE name = ${name} AND holder = ${holder} AND term = ${term}`.execute(db.kysely<OrchestratorTables>());
}

/**
 * A transaction that holds the term and whose process says nothing for so long is ended by the database: it was stopped,
 * or its machine is gone, and the next leader waits for the row that it has locked.
 */
const SILENT_MS = 1_500;

/**
 * Holds the term for the rest of the transaction: another can only take the lease after it is committed, and a
 * write of a term that is over fails here.
 */
export async function assertTerm(tx: Transaction, name: string, term: bigint): Promise<void> {
  const { rows } = await sql`
    SELECT set_config('idle_in_transaction_session_timeout', ${String(SILENT_MS)}, true)
    FROM leases WHERE name = ${name} AND term = ${term} AND expires_at > now() FOR SHARE`.execute(
    tx.kysely<OrchestratorTables>(),
  );
  if (rows.length === 0) throw new LeaseLostError(`term ${term} is over`);
}
