-- One row per event that took effect. No unique key on purpose: that each is written once is what the inbox promises, and a second
-- row would show that it did not.
create table journal (
  id bigint generated always as identity primary key,
  subject text not null,
  type text not null,
  -- Of the event, per subject.
  sequence bigint not null,
  project text not null,
  -- What of the project it is about: a Skyrun service, a member, an order.
  item text not null,
  requests bigint not null default 0,
  busy_ms bigint not null default 0
);
create index journal_item on journal (subject, item);

insert into journal (subject, type, sequence, project, item, requests, busy_ms)
select 'services/' || project || '/' || service, 'before.' || kind, 0, project, service,
       case kind when 'used' then requests else 0 end, case kind when 'used' then busy_ms else 0 end
from tally, lateral (
  select 'started' as kind from generate_series(1, instances_started)
  union all select 'ended' from generate_series(1, instances_ended)
  union all select 'used'
) as before;
drop table tally;

create view tally as
select project, item as service,
       count(*) filter (where type in ('skyrun.instance.started.v1', 'before.started')) as instances_started,
       count(*) filter (where type in ('skyrun.instance.stopped.v1', 'skyrun.instance.failed.v1', 'before.ended')) as instances_ended,
       sum(requests) as requests, sum(busy_ms) as busy_ms
from journal where type like 'skyrun.instance.%' or type like 'skyrun.usage.%' or type like 'before.%'
group by project, item;
