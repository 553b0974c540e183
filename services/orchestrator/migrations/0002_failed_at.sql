-- When the last failure was counted: instances older than it failed along with it and tell nothing more.
ALTER TABLE revisions ADD COLUMN failed_at timestamptz;
