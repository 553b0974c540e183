-- Who sends a mail claims it for a while, so that no transaction stays open while a mail server takes its time.
ALTER TABLE mail ADD COLUMN claimed_until bigint;
