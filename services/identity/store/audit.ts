import type { Db } from './tables.ts';

export interface AuditEntry {
  readonly at: number;
  /** Null when nobody is signed in. */
  readonly actorId: string | null;
  /** `<noun>.<verb>`, e.g. `member.remove`. */
  readonly action: string;
  readonly target: string;
  readonly address: string | null;
  /** No secret, ever. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

/** In the transaction of the change: there is no change without its entry. */
export async function appendAudit(db: Db, entry: AuditEntry): Promise<void> {
  await db
    .insertInto('audit_log')
    .values({
      at: new Date(entry.at),
      actor_id: entry.actorId,
      action: entry.action,
      target: entry.target,
      address: entry.address,
      details: JSON.stringify(entry.details ?? {}),
    })
    .execute();
}
