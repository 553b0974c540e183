-- The last sequence given to each subject; its row lock makes the events of one subject commit in order.
create table event_sequence (
  subject text primary key,
  last bigint not null
);

create table outbox (
  id bigint generated always as identity primary key,
  event_id text not null unique,
  event jsonb not null,
  created_at timestamptz not null default now(),
  sent_at timestamptz
);
create index outbox_unsent on outbox (id) where sent_at is null;
create index outbox_sent on outbox (sent_at) where sent_at is not null;

create table inbox (
  consumer text not null,
  source text not null,
  event_id text not null,
  handled_at timestamptz not null default now(),
  primary key (consumer, source, event_id)
);
create index inbox_handled on inbox (handled_at);
