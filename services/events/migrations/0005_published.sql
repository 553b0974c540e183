-- Events that came with an id of the publisher's own: what is sent again within a day is the same event, not a second one.
CREATE TABLE published (
  source       text NOT NULL,
  event_id     text NOT NULL,
  -- Of type, subject and data: an id that comes with something else is a mistake.
  digest       bytea NOT NULL,
  sequence     bigint,
  time         timestamptz,
  published_at timestamptz NOT NULL,
  PRIMARY KEY (source, event_id)
);
CREATE INDEX published_at ON published (published_at);
