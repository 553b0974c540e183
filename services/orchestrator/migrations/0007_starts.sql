-- Each start of an instance that came to take requests, with the time of its phases.
CREATE TABLE starts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  project text NOT NULL,
  service text NOT NULL,
  revision_id text NOT NULL,
  revision_name text NOT NULL,
  instance_id text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('created', 'restarted', 'resumed')),
  phases jsonb NOT NULL,
  trace_id text
);
CREATE INDEX starts_service ON starts (project, service, id DESC);
CREATE INDEX starts_instance ON starts (instance_id, id DESC);
CREATE INDEX starts_at ON starts (at);
