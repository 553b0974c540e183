CREATE TABLE registrations (
  id            text PRIMARY KEY,
  project       text NOT NULL,
  name          text NOT NULL,
  address       text NOT NULL,
  metadata      jsonb NOT NULL,
  ttl_seconds   integer NOT NULL,
  health        text NOT NULL,
  message       text NOT NULL,
  registered_at timestamptz NOT NULL,
  seen_at       timestamptz NOT NULL,
  expires_at    timestamptz NOT NULL,
  UNIQUE (project, name, address)
);

CREATE INDEX registrations_page ON registrations (project, id);
