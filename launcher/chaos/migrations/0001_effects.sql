-- No unique key on purpose: a second effect of one command must be seen, not refused.
create table effects (
  id bigint generated always as identity primary key,
  project text not null,
  -- Who joined; empty: the project was created.
  who text not null,
  sequence integer not null
);
create index effects_command on effects (project, who);
