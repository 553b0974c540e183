-- The outbox as a ring of three parts: rows go into the part of the present hour, are marked once when they are sent, and go
-- away with their whole part when its turn comes again. Nothing is deleted row by row, so nothing is left to vacuum.
alter table outbox rename to outbox_before;
drop index outbox_unsent;
drop index outbox_sent;

create sequence outbox_order as bigint;
select setval('outbox_order', coalesce((select max(id) from outbox_before), 0) + 1, false);

create table outbox (
  id bigint not null default nextval('outbox_order'),
  slot smallint not null default (floor(extract(epoch from now()) / 3600)::bigint % 3),
  event_id text not null,
  -- json, not jsonb: it is written once, read once, and never searched by the relay.
  event json not null,
  -- Null: it stands in the event itself, as in rows from before.
  sequence bigint,
  created_at timestamptz not null default now(),
  sent_at timestamptz
) partition by list (slot);
create table outbox_slot_0 partition of outbox for values in (0);
create table outbox_slot_1 partition of outbox for values in (1);
create table outbox_slot_2 partition of outbox for values in (2);
create index outbox_unsent on outbox (id) where sent_at is null;

insert into outbox (id, event_id, event, created_at, sent_at)
select id, event_id, event, created_at, sent_at from outbox_before order by id;
drop table outbox_before;
