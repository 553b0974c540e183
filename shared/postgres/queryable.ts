export interface QueryResult<Row> {
  readonly rows: Row[];
  /** Rows read or changed; null for statements that count none. */
  readonly rowCount: number | null;
}

/** Whatever runs SQL: a database, a transaction, or a client of `pg`. */
export interface Queryable {
  query<Row extends object = Record<string, unknown>>(sql: string, parameters?: unknown[]): Promise<QueryResult<Row>>;
}
