-- What an instance did in the time of a lifetime row: paused time has a price of its own, starting and stopping is busy.
ALTER TABLE usage ADD COLUMN state text NOT NULL DEFAULT 'running'
  CHECK (state IN ('starting', 'running', 'paused', 'stopping'));
ALTER TABLE instance_total ADD COLUMN paused_ms bigint NOT NULL DEFAULT 0;
