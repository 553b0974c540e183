-- Projects whose services must not run: their spending has reached a hard cap.
create table paused_projects (
  project text primary key,
  reason text not null,
  since timestamptz not null
);
