-- Append-only. `position` grows with the commit order, because appends hold one lock: a reader that has seen a position
-- has seen all before it. Partitioned by the event's own time, so that retention drops whole tables.
CREATE SEQUENCE log_position;

CREATE TABLE log (
  position bigint NOT NULL DEFAULT nextval('log_position'),
  id       text NOT NULL,
  source   text NOT NULL,
  type     text NOT NULL,
  subject  text NOT NULL,
  project  text,
  time     timestamptz NOT NULL,
  event    jsonb NOT NULL,
  -- A redelivery carries the same time, so this makes (source, id) unique although it must name the partition key.
  PRIMARY KEY (id, source, time)
) PARTITION BY RANGE (time);

CREATE INDEX log_position_index ON log (position);
CREATE INDEX log_newest ON log (time DESC, position DESC);
CREATE INDEX log_project_newest ON log (project, time DESC, position DESC);
CREATE INDEX log_subject ON log (subject text_pattern_ops, time DESC);
