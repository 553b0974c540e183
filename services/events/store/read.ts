import { type EventEnvelope, eventEnvelope } from '@skyrun/contracts';
import { sql } from 'kysely';
import type { HistoryFilter } from '../query/filter.ts';
import type { Db } from './tables.ts';

export interface LoggedEvent {
  readonly position: bigint;
  /** Unix milliseconds. */
  readonly time: number;
  readonly event: EventEnvelope;
}

/** Newest first; one more than `limit` when there are more. */
export async function readHistory(db: Db, filter: HistoryFilter): Promise<LoggedEvent[]> {
  let query = db.selectFrom('log').select(['position', 'time', 'event']);
  if (filter.project !== null) query = query.where('project', '=', filter.project);
  if (filter.types !== null) {
    const { catalogue, team } = filter.types;
    query = query.where((where) =>
      where.or([
        ...(catalogue.length > 0 ? [where('type', 'in', catalogue)] : []),
        // A pattern has its `*` at the end, or none.
        ...team.map((pattern) => where('type', 'like', escapeLike(pattern).replace(/\*$/, '%'))),
      ]),
    );
  }
  if (filter.subjectPrefix !== null) query = query.where('subject', 'like', `${escapeLike(filter.subjectPrefix)}%`);
  if (filter.since !== null) query = query.where('time', '>=', new Date(filter.since));
  if (filter.until !== null) query = query.where('time', '<', new Date(filter.until));
  if (filter.text !== null) {
    query = query.where(sql<boolean>`event::text ILIKE ${`%${escapeLike(filter.text)}%`}`);
  }
  if (filter.before !== null) {
    const { time, position } = filter.before;
    // The first condition alone lets the planner leave out later partitions.
    query = query
      .where('time', '<=', new Date(time))
      .where(sql<boolean>`(time, position) < (${new Date(time)}::timestamptz, ${position}::bigint)`);
  }
  const rows = await query
    .orderBy('time', 'desc')
    .orderBy('position', 'desc')
    .limit(filter.limit + 1)
    .execute();
  return rows.map(toLogged);
}

export interface LogRange {
  readonly after: bigint;
  /** Inclusive; null: to the end. */
  readonly until: bigint | null;
  /** Null: of all projects. */
  readonly project: string | null;
  /** Unix milliseconds; only events from then on. */
  readonly since?: number;
  readonly limit: number;
}

/** In order of position. */
export async function readLog(db: Db, { after, until, project, since, limit }: LogRange): Promise<LoggedEvent[]> {
  let query = db
    .selectFrom('log')
    .select(['position', 'time', 'event'])
    .where(sql<boolean>`position > ${after.toString()}::bigint`);
  if (until !== null) query = query.where(sql<boolean>`position <= ${until.toString()}::bigint`);
  if (project !== null) query = query.where('project', '=', project);
  if (since !== undefined) query = query.where('time', '>=', new Date(since));
  const rows = await query.orderBy('position').limit(limit).execute();
  return rows.map(toLogged);
}

/** Position of the newest event; 0 when there is none. */
export async function lastPosition(db: Db): Promise<bigint> {
  const row = await db
    .selectFrom('log')
    .select((expression) => expression.fn.max('position').as('position'))
    .executeTakeFirst();
  return BigInt(row?.position ?? 0);
}

/** Position of the oldest event that is kept; null when there is none. */
export async function firstPosition(db: Db): Promise<bigint | null> {
  const row = await db
    .selectFrom('log')
    .select((expression) => expression.fn.min('position').as('position'))
    .executeTakeFirst();
  return row?.position === null || row === undefined ? null : BigInt(row.position);
}

/** Null when it was never kept, or is not any more. Only events of `project` are found, where one is named. */
export async function positionOfEvent(db: Db, id: string, project: string | null): Promise<bigint | null> {
  let query = db.selectFrom('log').select('position').where('id', '=', id);
  if (project !== null) query = query.where('project', '=', project);
  const row = await query.executeTakeFirst();
  return row ? BigInt(row.position) : null;
}

function toLogged(row: { position: string; time: Date; event: unknown }): LoggedEvent {
  return { position: BigInt(row.position), time: row.time.getTime(), event: eventEnvelope.parse(row.event) };
}

function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&');
}
