import { type SelectQueryBuilder, sql } from 'kysely';

/** The next rows by name, after the one that the page before ended with; null for the first page. */
export function pageByName<Schema, Tables extends keyof Schema, Row>(
  query: SelectQueryBuilder<Schema, Tables, Row>,
  after: string | null,
  limit: number,
): SelectQueryBuilder<Schema, Tables, Row> {
  const name = sql.ref<string>('name');
  const further = after === null ? query : query.where(name, '>', after);
  return further.orderBy(name).limit(limit);
}
