-- What Kubernetes' clients keep on a service and Skyrun has no other place for.
create table kubernetes_metadata (
  service_id text primary key references services (id),
  -- Grows with each write, so that two writers cannot both win.
  edition integer not null,
  labels jsonb not null,
  annotations jsonb not null,
  managed_fields jsonb not null
);

-- One row, locked by whoever numbers changes: so the order of versions is the order of commits.
create table kubernetes_clock (
  single boolean primary key default true check (single),
  version bigint not null,
  -- Changes up to here are forgotten.
  kept_after bigint not null
);
insert into kubernetes_clock (version, kept_after) values (1, 0);

-- Objects as they were last shown, with the version (`resourceVersion`) of their last change.
create table kubernetes_objects (
  kind text not null,
  project text not null,
  name text not null,
  service_id text not null,
  version bigint not null,
  object jsonb not null,
  primary key (kind, project, name)
);
create index kubernetes_objects_service on kubernetes_objects (service_id);

create table kubernetes_changes (
  version bigint primary key,
  type text not null check (type in ('ADDED', 'MODIFIED', 'DELETED')),
  kind text not null,
  project text not null,
  name text not null,
  object jsonb not null,
  -- Labels before the change: a watcher that selected by them must hear that the object is out of its sight.
  previous_labels jsonb
);
