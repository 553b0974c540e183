-- Totals by day, for analytics and forecasts; what was totalled before keeps to the first of its month.
ALTER TABLE instance_total ADD COLUMN day bigint;
UPDATE instance_total SET day = month;
ALTER TABLE instance_total ALTER COLUMN day SET NOT NULL;
ALTER TABLE instance_total DROP CONSTRAINT instance_total_pkey;
ALTER TABLE instance_total ADD PRIMARY KEY (project, ordinal, late, month, price_list, day, service, revision_name,
  instance_id, billing_mode, cpu_milli, memory_mib);
CREATE INDEX instance_total_month ON instance_total (project, month, day);

CREATE TABLE budget (
  id         text PRIMARY KEY,
  project    text NOT NULL,
  name       text NOT NULL,
  amount     numeric(38, 0) NOT NULL CHECK (amount > 0),
  thresholds jsonb NOT NULL,
  hard_cap   boolean NOT NULL,
  created_at bigint NOT NULL,
  UNIQUE (project, name)
);

-- A threshold alerts once a month; once more where the budget's amount was changed since.
CREATE TABLE budget_alert (
  seq        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project    text NOT NULL,
  budget_id  text NOT NULL,
  name       text NOT NULL,
  month      bigint NOT NULL,
  basis      text NOT NULL CHECK (basis IN ('actual', 'forecast')),
  percent    integer NOT NULL,
  amount     numeric(38, 0) NOT NULL,
  spent      numeric(38, 0) NOT NULL,
  forecast   numeric(38, 0) NOT NULL,
  at         bigint NOT NULL,
  UNIQUE (budget_id, month, basis, percent, amount)
);
CREATE INDEX budget_alert_project ON budget_alert (project, seq);

-- Projects whose spending has reached a hard cap.
CREATE TABLE spending_cap (
  project   text PRIMARY KEY,
  budget_id text NOT NULL,
  since     bigint NOT NULL
);
