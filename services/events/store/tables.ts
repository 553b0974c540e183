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
  subscriptions: {
    id: string;
    project: string;
    name: string;
    destination: string;
    filter: ColumnType<unknown, string, string>;
    mode: string;
    max_attempts: number;
    paused: boolean;
    secrets: ColumnType<unknown, string, string>;
    from_position: ColumnType<string, string, never>;
    created_at: Date;
    updated_at: Date;
  };
  deliveries: {
    id: string;
    subscription_id: string;
    event_id: string;
    kind: string;
    event: ColumnType<unknown, string, never>;
    state: string;
    attempts: ColumnType<number, number | undefined, number>;
    history: ColumnType<unknown, string | undefined, string>;
    due_at: Date;
    queued: ColumnType<boolean, boolean | undefined, boolean>;
    created_at: Date;
    done_at: Date | null;
  };
  registrations: {
    id: string;
    project: string;
    name: string;
    address: string;
    metadata: ColumnType<unknown, string, string>;
    ttl_seconds: number;
    health: string;
    message: string;
    registered_at: Date;
    seen_at: Date;
    expires_at: Date;
    health_url: string | null;
    probed_at: Date | null;
  };
  event_schemas: {
    type: string;
    version: number;
    project: string;
    summary: string;
    subject: string;
    compatibility: string;
    schema: ColumnType<unknown, string, never>;
    example: ColumnType<unknown, string | null, never>;
    registered_by: string;
    registered_at: Date;
  };
  consumer_groups: {
    name: string;
    project: string | null;
    types: ColumnType<unknown, string, string>;
    seen_at: Date;
    letters: ColumnType<number, number | undefined, number>;
  };
  published: {
    source: string;
    event_id: string;
    digest: Buffer;
    sequence: string | null;
    time: Date | null;
    published_at: Date;
  };
  push_progress: { position: ColumnType<string, string, string> };
}

/** A pool or a transaction of the schema `events`. */
export type Db = Kysely<EventsTables>;
