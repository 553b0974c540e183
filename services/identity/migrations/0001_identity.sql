CREATE TABLE users (
  id         text PRIMARY KEY,
  email      text NOT NULL UNIQUE CHECK (email = lower(email)),
  name       text NOT NULL,
  admin      boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL
);

-- How a person proves who they are. `password`: subject is the e-mail, secret the argon2id hash.
-- An OIDC provider adds rows of its own: provider is the issuer, subject its `sub`, no secret.
CREATE TABLE credentials (
  provider   text NOT NULL,
  subject    text NOT NULL,
  user_id    text NOT NULL REFERENCES users (id),
  secret     text,
  updated_at timestamptz NOT NULL,
  PRIMARY KEY (provider, subject)
);
CREATE INDEX credentials_user ON credentials (user_id);

-- A name is never used again, so a project is never deleted from here.
CREATE TABLE projects (
  id           text PRIMARY KEY,
  name         text NOT NULL UNIQUE,
  display_name text NOT NULL,
  created_by   text NOT NULL REFERENCES users (id),
  created_at   timestamptz NOT NULL
);

CREATE TABLE members (
  project_id text NOT NULL REFERENCES projects (id),
  user_id    text NOT NULL REFERENCES users (id),
  role       text NOT NULL CHECK (role IN ('owner', 'developer', 'viewer', 'billing')),
  added_at   timestamptz NOT NULL,
  PRIMARY KEY (project_id, user_id)
);
CREATE INDEX members_user ON members (user_id);

-- A session is a family of refresh tokens: each works once and is followed by the next.
CREATE TABLE sessions (
  id             text PRIMARY KEY,
  user_id        text NOT NULL REFERENCES users (id),
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  revoked_at     timestamptz,
  revoked_reason text
);
CREATE INDEX sessions_user ON sessions (user_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE refresh_tokens (
  hash           bytea PRIMARY KEY,
  session_id     text NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  created_at     timestamptz NOT NULL,
  expires_at     timestamptz NOT NULL,
  used_at        timestamptz,
  successor_hash bytea
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);

CREATE TABLE signing_keys (
  kid         text PRIMARY KEY,
  public_jwk  jsonb NOT NULL,
  private_key bytea NOT NULL,
  created_at  timestamptz NOT NULL
);

-- Keyed by a digest of what is throttled, so that it holds no address and no e-mail.
CREATE TABLE sign_in_failures (
  key          text PRIMARY KEY,
  failures     integer NOT NULL,
  last_at      timestamptz NOT NULL,
  locked_until timestamptz NOT NULL
);
CREATE INDEX sign_in_failures_last ON sign_in_failures (last_at);

CREATE TABLE audit_log (
  id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at       timestamptz NOT NULL,
  actor_id text,
  action   text NOT NULL,
  target   text NOT NULL,
  address  text,
  details  jsonb NOT NULL
);
