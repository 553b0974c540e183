create table secrets (
  id text primary key,
  project text not null,
  name text not null,
  latest_version integer not null,
  created_at timestamptz not null,
  unique (project, name)
);

-- Values are sealed (AES-256-GCM), bound to the secret and the version: a row that is moved cannot be opened.
create table secret_versions (
  secret_id text not null references secrets (id) on delete cascade,
  version integer not null,
  sealed bytea not null,
  -- Which key sealed it.
  key_id text not null,
  created_at timestamptz not null,
  primary key (secret_id, version)
);
create index secret_versions_key on secret_versions (key_id);
