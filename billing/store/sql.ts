import type { Kysely } from 'kysely';

/** A connection or a transaction in billing's schema; statements are written as `sql` templates. */
export type Sql = Kysely<unknown>;
