-- Lines of one instance that follow each other, compressed: what is searched for is found by service and time here, and
-- by text after unpacking. Kept when the instance's own row is long gone.
CREATE TABLE log_chunks (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project text NOT NULL,
  service text NOT NULL,
  revision_name text NOT NULL,
  instance_id text NOT NULL,
  first_at timestamptz NOT NULL,
  last_at timestamptz NOT NULL,
  lines integer NOT NULL,
  -- As stored, with what the row itself takes.
  bytes integer NOT NULL,
  body bytea NOT NULL
);
-- Compressed already.
ALTER TABLE log_chunks ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX log_chunks_of_service ON log_chunks (project, service, last_at DESC, id DESC);
CREATE INDEX log_chunks_age ON log_chunks USING brin (last_at);

-- Up to where an instance's output is stored, per stream; moved in the transaction that stores it.
CREATE TABLE log_positions (
  instance_id text PRIMARY KEY,
  stdout text NOT NULL,
  stderr text NOT NULL
);

-- Held the last lines only.
DROP TABLE instance_logs;
