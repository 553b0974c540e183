-- Instances may lose their readiness, and may be paused or stopped and kept while nobody needs them.
ALTER TABLE instances DROP CONSTRAINT instances_state_check;
ALTER TABLE instances ADD CONSTRAINT instances_state_check
  CHECK (state IN ('starting', 'ready', 'unready', 'paused', 'parked', 'draining', 'stopped', 'failed'));
ALTER TABLE instances ADD COLUMN state_version integer NOT NULL DEFAULT 0;
-- Since when it is paused or parked; and since when it is frozen, which is a moment later.
ALTER TABLE instances ADD COLUMN idle_since timestamptz;
ALTER TABLE instances ADD COLUMN frozen_at timestamptz;
