-- What each gateway process last showed of itself; the next view is two seconds away: unlogged.
CREATE UNLOGGED TABLE gateway_views (
  gateway text PRIMARY KEY,
  at timestamptz NOT NULL,
  view jsonb NOT NULL
);
