import type { LogFilter } from '@skyrun/contracts';
import type { Database } from '@skyrun/postgres';
import { sql } from 'kysely';
import { assertTerm, LEASE_NAME } from './lease.ts';
import type { ServiceQuery } from './reads.ts';
import type { OrchestratorTables } from './tables.ts';

/** Up to where output is stored; '' before its first line. */
export interface LogPosition {
  readonly stdout: string;
  readonly stderr: string;
}

export interface LogChunk extends ServiceQuery {
  readonly revisionName: string;
  readonly instanceId: string;
  /** Unix milliseconds of its first and last line. */
  readonly firstAt: number;
  readonly lastAt: number;
  readonly lines: number;
  readonly body: Buffer;
  /** After its last line. */
  readonly position: LogPosition;
}

export interface StoredChunk {
  readonly id: string;
  readonly revisionName: string;
  readonly instanceId: string;
  readonly lastAt: number;
  readonly body: Buffer;
}

export interface ChunkQuery extends ServiceQuery, Pick<LogFilter, 'instance' | 'revision'> {
  /** Unix milliseconds, both inclusive. */
  readonly since?: number;
  readonly until?: number;
}

export interface LogStore {
  /** All of them or none; of one instance in order. Throws LeaseLostError when the term is over. */
  write(term: bigint, chunks: readonly LogChunk[]): Promise<void>;
  /** Of every instance that output was stored of and that is not over, or of the named ones. */
  positions(instanceIds?: readonly string[]): Promise<Map<string, LogPosition>>;
  /** Those that end last first; `after` is the last one of the batch before. */
  chunks(query: ChunkQuery, limit: number, after?: Pick<StoredChunk, 'id' | 'lastAt'>): Promise<StoredChunk[]>;
}

/** What a row takes beside its body: tuple, toast pointer, two index entries. */
const ROW_BYTES = 300;

export function createLogStore(db: Database): LogStore {
  const tables = () => db.kysely<OrchestratorTables>();
  return {
    async write(term, chunks) {
      await db.transaction(async (tx) => {
        await assertTerm(tx, LEASE_NAME, term);
        const writing = tx.kysely<OrchestratorTables>();
        const rows = chunks.map(({ project, service, revisionName, instanceId, firstAt, lastAt, lines, body }) => ({
          project,
          service,
          revision_name: revisionName,
          instance_id: instanceId,
          first_at: new Date(firstAt),
          last_at: new Date(lastAt),
          lines,
          bytes: body.byteLength + ROW_BYTES,
          body,
        }));
        await writing.insertInto('log_chunks').values(rows).execute();
        const positions = new Map(chunks.map(({ instanceId, position }) => [instanceId, position]));
        await writing
          .insertInto('log_positions')
          .values([...positions].map(([instanceId, position]) => ({ instance_id: instanceId, ...position })))
          .onConflict((conflict) =>
            conflict.column('instance_id').doUpdateSet((row) => ({
              stdout: row.ref('excluded.stdout'),
              stderr: row.ref('excluded.stderr'),
            })),
          )
          .execute();
      });
    },

    async positions(instanceIds) {
      if (instanceIds?.length === 0) return new Map();
      let query = tables().selectFrom('log_positions').selectAll();
      if (instanceIds) query = query.where('instance_id', 'in', [...instanceIds]);
      const rows = await query.execute();
      return new Map(rows.map(({ instance_id, stdout, stderr }) => [instance_id, { stdout, stderr }]));
    },

    async chunks({ project, service, instance, revision, since, until }, limit, after) {
      let query = tables()
        .selectFrom('log_chunks')
        .select(['id', 'revision_name', 'instance_id', 'last_at', 'body'])
        .where('project', '=', project)
        .where('service', '=', service)
        .orderBy('last_at', 'desc')
        .orderBy('id', 'desc')
        .limit(limit);
      if (instance !== undefined) {
        query = query.where(sql<boolean>`right(instance_id, ${instance.length}) = ${instance}`);
      }
      if (revision !== undefined) query = query.where('revision_name', '=', revision);
      if (since !== undefined) query = query.where('last_at', '>=', new Date(since));
      if (until !== undefined) query = query.where('first_at', '<=', new Date(until));
      if (after) query = query.where(sql<boolean>`(last_at, id) < (${new Date(after.lastAt)}, ${after.id}::bigint)`);
      return (await query.execute()).map((row) => ({
        id: row.id,
        revisionName: row.revision_name,
        instanceId: row.instance_id,
        lastAt: row.last_at.getTime(),
        body: row.body,
      }));
    },
  };
}

export interface LogRetention {
  readonly maxAgeMs: number;
  /** Of one service, as stored. */
  readonly maxServiceBytes: number;
}

/** Deletes what is too old, then of each service what is beyond its share, oldest first. */
export async function deleteExpiredLogs(db: Database, now: number, retention: LogRetention): Promise<void> {
  const tables = db.kysely<OrchestratorTables>();
  await tables
    .deleteFrom('log_chunks')
    .where('last_at', '<', new Date(now - retention.maxAgeMs))
    .execute();
  await sql`
    WITH large AS (
      SELECT project, service FROM log_chunks GROUP BY project, service HAVING sum(bytes) > ${retention.maxServiceBytes}
    ), ranked AS (
      SELECT id, sum(bytes) OVER (PARTITION BY project, service ORDER BY last_at DESC, id DESC) AS total
      FROM log_chunks JOIN large USING (project, service)
    )
    DELETE FROM log_chunks WHERE id IN (SELECT id FROM ranked WHERE total > ${retention.maxServiceBytes})`.execute(
    tables,
  );
  await sql`
    DELETE FROM log_positions p
    WHERE NOT EXISTS (SELECT 1 FROM instances i WHERE i.id = p.instance_id AND i.ended_at IS NULL)`.execute(tables);
}
