-- Services: what tenants want. A deleted service stays as a row, because its revisions may still have instances.
create table services (
  id text primary key,
  project text not null,
  name text not null,
  generation integer not null,
  spec jsonb not null,
  latest_created_id text not null,
  latest_ready_id text,
  -- When a first revision became ready, and so the route.
  route_since timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  deleted_at timestamptz
);
create unique index services_name on services (project, name) where deleted_at is null;

-- Names of revisions never repeat, even when a service is deleted and another takes its name.
create table revision_counters (
  project text not null,
  service text not null,
  last integer not null,
  primary key (project, service)
);

create table revisions (
  id text primary key,
  service_id text not null references services (id),
  project text not null,
  service text not null,
  number integer not null,
  name text not null,
  image_digest text not null,
  image_reference text not null,
  template jsonb not null,
  -- The orchestrator's verdict.
  state text not null default 'pending' check (state in ('pending', 'ready', 'failed')),
  reason text,
  message text,
  state_since timestamptz not null,
  -- Grows with each verdict, so that an older observation cannot undo a newer event.
  observed_version integer not null default 0,
  created_at timestamptz not null,
  -- Since when nothing of it should run.
  retired_at timestamptz,
  unique (project, name)
);
create index revisions_retired on revisions (retired_at) where retired_at is not null;
create index revisions_service on revisions (service_id, number desc);
create index revisions_image on revisions (project, image_digest);

-- Instances as last observed. Ended ones stay a while, so that a late event cannot bring them back.
create table instances (
  id text primary key,
  service_id text not null,
  revision_id text not null,
  state text not null,
  data jsonb not null,
  observed_version integer not null default 0,
  observed_at timestamptz not null
);
create index instances_revision on instances (revision_id) where state in ('starting', 'ready', 'draining');
create index instances_service on instances (service_id) where state in ('starting', 'ready', 'draining');
create index instances_ended on instances (observed_at) where state in ('stopped', 'failed');

create table images (
  id text primary key,
  project text not null,
  name text not null,
  digest text not null,
  reference text not null unique,
  -- The tag that was last pointed here; another image may have it by now.
  tag text not null,
  size_bytes bigint not null,
  layers integer not null,
  os text not null,
  architecture text not null,
  exposed_ports integer[] not null,
  user_name text not null,
  created_at timestamptz not null,
  unique (project, name, digest)
);

create table image_tags (
  project text not null,
  name text not null,
  tag text not null,
  image_id text not null references images (id) on delete cascade,
  primary key (project, name, tag)
);
create index image_tags_image on image_tags (image_id);

-- What the container engine may hold without a row in `images`: an import in progress (until its lease ends), or an
-- image that is to be removed. The janitor works it off.
create table image_intents (
  id text primary key,
  reference text not null,
  kind text not null check (kind in ('import', 'remove')),
  lease_until timestamptz not null
);
create index image_intents_reference on image_intents (reference);

create table idempotency_keys (
  caller text not null,
  operation text not null,
  key text not null,
  request_hash text not null,
  response jsonb not null,
  created_at timestamptz not null,
  primary key (caller, operation, key)
);
create index idempotency_keys_age on idempotency_keys (created_at);
