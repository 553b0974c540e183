-- Of a key only its SHA-256 is kept: it is 256 random bits, so there is nothing to guess and nothing to slow down.
CREATE TABLE api_keys (
  id              text PRIMARY KEY,
  project_id      text NOT NULL REFERENCES projects (id),
  name            text NOT NULL,
  role            text NOT NULL CHECK (role IN ('developer', 'viewer', 'billing')),
  hint            text NOT NULL,
  digest          bytea NOT NULL UNIQUE,
  -- The key before the last exchange, and until when it still holds.
  previous_digest bytea UNIQUE,
  previous_until  timestamptz,
  created_by      text NOT NULL,
  created_at      timestamptz NOT NULL,
  expires_at      timestamptz,
  rotated_at      timestamptz,
  last_used_at    timestamptz,
  UNIQUE (project_id, name)
);

-- Grows with every change of a key, so that gateways can ask whether what they know is still so.
CREATE TABLE api_keys_version (version bigint NOT NULL);
INSERT INTO api_keys_version VALUES (1);
