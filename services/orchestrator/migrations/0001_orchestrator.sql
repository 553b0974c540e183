-- Who leads. One row per office; a new holder gets a higher term, and every write names the term it was made under.
CREATE TABLE leases (
  name text PRIMARY KEY,
  holder text NOT NULL,
  term bigint NOT NULL,
  expires_at timestamptz NOT NULL
);

-- One row per instance, written before its container exists: a crash between the two leaves a row to go on with.
CREATE TABLE instances (
  id text PRIMARY KEY,
  project text NOT NULL,
  service text NOT NULL,
  service_id text NOT NULL,
  revision_id text NOT NULL,
  revision_name text NOT NULL,
  state text NOT NULL CHECK (state IN ('starting', 'ready', 'draining', 'stopped', 'failed')),
  node text NOT NULL,
  address text,
  port integer NOT NULL,
  cpu_milli integer NOT NULL,
  memory_mib integer NOT NULL,
  billing_mode text NOT NULL CHECK (billing_mode IN ('request', 'instance')),
  grace_seconds integer NOT NULL,
  created_at timestamptz NOT NULL,
  started_at timestamptz,
  ready_at timestamptz,
  draining_at timestamptz,
  ended_at timestamptz,
  reason text,
  exit_code integer,
  start_phases jsonb,
  -- Usage is recorded up to here; moved in the transaction that records it.
  usage_until timestamptz,
  CHECK ((ended_at IS NOT NULL) = (state IN ('stopped', 'failed')))
);
CREATE INDEX instances_of_service ON instances (project, service, id DESC);
CREATE INDEX instances_not_over ON instances (revision_id) WHERE ended_at IS NULL;
CREATE INDEX instances_ended ON instances (ended_at) WHERE ended_at IS NOT NULL;

-- The last lines of an instance whose container is gone.
CREATE TABLE instance_logs (
  instance_id text PRIMARY KEY REFERENCES instances (id) ON DELETE CASCADE,
  lines jsonb NOT NULL
);

-- The verdict on each revision, as tried so far.
CREATE TABLE revisions (
  revision_id text PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('pending', 'ready', 'failed')),
  reason text,
  message text,
  failures integer NOT NULL DEFAULT 0,
  retry_at timestamptz,
  updated_at timestamptz NOT NULL
);

CREATE TABLE decisions (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at timestamptz NOT NULL,
  project text NOT NULL,
  service text NOT NULL,
  revision_id text NOT NULL,
  decision jsonb NOT NULL
);
CREATE INDEX decisions_of_service ON decisions (project, service, id DESC);
CREATE INDEX decisions_at ON decisions (at);

-- One row per step and revision that had traffic or instances.
CREATE TABLE metrics (
  project text NOT NULL,
  service text NOT NULL,
  revision_id text NOT NULL,
  at timestamptz NOT NULL,
  requests integer NOT NULL,
  concurrency_ms double precision NOT NULL,
  queued integer NOT NULL,
  status_classes jsonb NOT NULL,
  latency_buckets jsonb NOT NULL,
  ready integer NOT NULL,
  starting integer NOT NULL,
  PRIMARY KEY (project, service, at, revision_id)
);
CREATE INDEX metrics_at ON metrics (at);
