export { createDatabase, type Database, type DatabaseOptions } from './database.ts';
export { isRetryable, PostgresError, type PostgresErrorCode, sqlState } from './errors.ts';
export { type EventIdentity, once } from './inbox.ts';
export type { Unlisten } from './listener.ts';
export { appendEvents } from './outbox.ts';
export type { Queryable, QueryResult } from './queryable.ts';
export { createOutboxRelay, type EventPublisher, type OutboxRelay, type OutboxRelayOptions } from './relay.ts';
export type { Transaction, TransactionOptions } from './transaction.ts';
