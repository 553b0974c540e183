CREATE TABLE subscriptions (
  id           text PRIMARY KEY,
  project      text NOT NULL,
  name         text NOT NULL,
  destination  text NOT NULL,
  filter       jsonb NOT NULL,
  mode         text NOT NULL,
  max_attempts integer NOT NULL,
  paused       boolean NOT NULL DEFAULT false,
  -- Newest first, two at most.
  secrets      jsonb NOT NULL,
  -- Only events after it are sent.
  from_position bigint NOT NULL,
  created_at   timestamptz NOT NULL,
  updated_at   timestamptz NOT NULL,
  UNIQUE (project, name)
);

CREATE TABLE deliveries (
  id              text PRIMARY KEY,
  subscription_id text NOT NULL REFERENCES subscriptions ON DELETE CASCADE,
  event_id        text NOT NULL,
  kind            text NOT NULL,
  event           jsonb NOT NULL,
  state           text NOT NULL,
  attempts        integer NOT NULL DEFAULT 0,
  history         jsonb NOT NULL DEFAULT '[]',
  due_at          timestamptz NOT NULL,
  -- Whether the queue was told of it.
  queued          boolean NOT NULL DEFAULT false,
  created_at      timestamptz NOT NULL,
  done_at         timestamptz
);

-- A fan-out that is repeated adds nothing.
CREATE UNIQUE INDEX deliveries_once ON deliveries (subscription_id, event_id) WHERE kind = 'event';
CREATE INDEX deliveries_newest ON deliveries (subscription_id, id DESC);
CREATE INDEX deliveries_waiting ON deliveries (subscription_id, queued, due_at) WHERE state = 'waiting';
CREATE INDEX deliveries_done ON deliveries (done_at) WHERE done_at IS NOT NULL;

-- One row: the log was handed out to the subscriptions up to here.
CREATE TABLE push_progress (position bigint NOT NULL);
INSERT INTO push_progress SELECT coalesce(max(position), 0) FROM log;
