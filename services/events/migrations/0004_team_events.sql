-- Each version of the schema of a team's event type, for ever: what lies in the history was written with one of them.
CREATE TABLE event_schemas (
  type          text NOT NULL,
  version       integer NOT NULL,
  project       text NOT NULL,
  summary       text NOT NULL,
  subject       text NOT NULL,
  compatibility text NOT NULL,
  schema        jsonb NOT NULL,
  example       jsonb,
  registered_by text NOT NULL,
  registered_at timestamptz NOT NULL,
  PRIMARY KEY (type, version)
);
CREATE INDEX event_schemas_project ON event_schemas (project, type, version DESC);

-- Consumer groups that were ever heard of. Their dead letters outlive them, so they are kept.
CREATE TABLE consumer_groups (
  name      text PRIMARY KEY,
  project   text,
  types     jsonb NOT NULL,
  seen_at   timestamptz NOT NULL,
  -- Dead letters when they were last counted.
  letters   integer NOT NULL DEFAULT 0
);

ALTER TABLE registrations ADD COLUMN health_url text;
-- What asking `health_url` came to; null: not asked yet.
ALTER TABLE registrations ADD COLUMN probed_at timestamptz;
