export type PostgresErrorCode =
  | 'postgres.migration_changed'
  | 'postgres.migration_unknown'
  | 'postgres.migration_name'
  | 'postgres.migration_failed'
  | 'postgres.schema_name'
  | 'postgres.closed';

/** Match on `code`; the message is for people. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
  readonly code: PostgresErrorCode;

  constructor(code: PostgresErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** PostgreSQL's five-character error code, e.g. `23505`; null when the error did not come from it. */
export function sqlState(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code)
    ? error.code
    : null;
}

/** Whether running the whole transaction again may succeed: serialization failure or deadlock. */
export function isRetryable(error: unknown): boolean {
  const state = sqlState(error);
  return state === '40001' || state === '40P01';
}
