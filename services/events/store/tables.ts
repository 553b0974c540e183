import type { ColumnType, Kysely } from 'kysely';

export interface EventsTables {
  log: {
    /** A bigint; the driver gives it as text. */
    position: ColumnType<string, never, never>;
    id: string;
    source: string;
    type: string;
    subject: string;
    project: string | null;
    time: Date;
    event: ColumnType<unknown, string, never>;
  };
}

/** A pool or a transaction of the schema `events`. */
export type Db = Kysely<EventsTables>;
