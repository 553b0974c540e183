-- A claim blocks nobody: only one that is verified is alone with its name.
create table domains (
  project text not null,
  name text not null,
  service_id text not null references services (id),
  service text not null,
  -- Whoever can write this into the DNS of the name may use it.
  token text not null,
  state text not null check (state in ('pending', 'verified', 'lost')),
  reason text not null,
  message text not null,
  created_at timestamptz not null,
  verified_at timestamptz,
  checked_at timestamptz,
  -- Since when a verified domain's proof is not found.
  missing_since timestamptz,
  next_check_at timestamptz not null,
  primary key (project, name)
);
create unique index domains_verified on domains (name) where state = 'verified';
create index domains_service on domains (service_id);
create index domains_due on domains (next_check_at);
