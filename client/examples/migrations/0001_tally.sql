-- What this team keeps: per service, how many instances started and ended, and what it used.
create table tally (
  project text not null,
  service text not null,
  instances_started bigint not null default 0,
  instances_ended bigint not null default 0,
  requests bigint not null default 0,
  busy_ms bigint not null default 0,
  primary key (project, service)
);
