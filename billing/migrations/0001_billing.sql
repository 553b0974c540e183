-- Times are Unix milliseconds, money is a count of 10^-12 of the currency, quantities are integers.

-- One row per project. Its lock orders ingest and closing of that project: seq ≤ closed_seq is exact because of it.
CREATE TABLE account (
  project             text PRIMARY KEY,
  price_list          text NOT NULL,
  free_tier           boolean NOT NULL,
  next_invoice_number bigint NOT NULL DEFAULT 1,
  created_at          bigint NOT NULL
);

-- Price lists that were ever used; a version never changes once it is here.
CREATE TABLE price_list (
  id             text PRIMARY KEY,
  name           text NOT NULL,
  effective_from bigint NOT NULL,
  document       jsonb NOT NULL,
  UNIQUE (name, effective_from)
);

-- open → collecting (its end is known, late usage still enters) → closed (closed_seq is the last usage row in it).
CREATE TABLE period (
  project    text NOT NULL REFERENCES account,
  ordinal    integer NOT NULL CHECK (ordinal >= 1),
  state      text NOT NULL CHECK (state IN ('open', 'collecting', 'closed')),
  starts_at  bigint NOT NULL,
  ends_at    bigint CHECK (ends_at > starts_at),
  closed_seq bigint,
  invoice_id text,
  PRIMARY KEY (project, ordinal),
  CHECK ((state = 'open') = (ends_at IS NULL)),
  CHECK ((state = 'closed') = (closed_seq IS NOT NULL))
);
CREATE UNIQUE INDEX period_one_open ON period (project) WHERE state = 'open';
CREATE INDEX period_live ON period (state, ends_at) WHERE state <> 'closed';

-- The truth. Append-only.
CREATE TABLE usage (
  seq           bigint GENERATED ALWAYS AS IDENTITY,
  project       text NOT NULL,
  key           text NOT NULL,
  fingerprint   bytea NOT NULL,
  kind          text NOT NULL CHECK (kind IN ('requests', 'lifetime')),
  service       text NOT NULL,
  revision_name text NOT NULL,
  instance_id   text NOT NULL,
  window_start  bigint NOT NULL,
  window_end    bigint NOT NULL,
  billing_mode  text NOT NULL CHECK (billing_mode IN ('request', 'instance')),
  cpu_milli     integer NOT NULL,
  memory_mib    integer NOT NULL,
  requests      bigint NOT NULL CHECK (requests >= 0),
  bytes_in      bigint NOT NULL CHECK (bytes_in >= 0),
  bytes_out     bigint NOT NULL CHECK (bytes_out >= 0),
  busy          int8multirange NOT NULL,
  min_instance  boolean NOT NULL,
  -- The version of the price list that was in force at window_start when the row came in.
  price_list    text NOT NULL REFERENCES price_list,
  received_at   bigint NOT NULL,
  PRIMARY KEY (project, key),
  CHECK (window_start < window_end),
  CHECK (isempty(busy) OR (lower(busy) >= window_start AND upper(busy) <= window_end))
);
CREATE INDEX usage_instance ON usage (project, instance_id, window_end);
CREATE INDEX usage_newest ON usage (project, window_start, seq);

-- Usage that cannot be billed, with the name of the reason, so that nothing vanishes.
CREATE TABLE rejected_usage (
  source      text NOT NULL,
  event_id    text NOT NULL,
  project     text NOT NULL,
  key         text NOT NULL,
  problem     text NOT NULL,
  detail      text NOT NULL,
  data        jsonb NOT NULL,
  received_at bigint NOT NULL,
  PRIMARY KEY (source, event_id)
);

-- The running sum of usage per instance and slot; equal to what `measure` says of the rows, always.
CREATE TABLE instance_total (
  project       text NOT NULL,
  ordinal       integer NOT NULL,
  late          boolean NOT NULL,
  month         bigint NOT NULL,
  price_list    text NOT NULL,
  service       text NOT NULL,
  revision_name text NOT NULL,
  instance_id   text NOT NULL,
  billing_mode  text NOT NULL,
  cpu_milli     integer NOT NULL,
  memory_mib    integer NOT NULL,
  busy_ms       bigint NOT NULL,
  idle_ms       bigint NOT NULL,
  alive_ms      bigint NOT NULL,
  requests      bigint NOT NULL,
  bytes_out     bigint NOT NULL,
  request_rows  bigint NOT NULL,
  lifetime_rows bigint NOT NULL,
  usage_until   bigint NOT NULL,
  PRIMARY KEY (project, ordinal, late, month, price_list, service, revision_name, instance_id, billing_mode, cpu_milli, memory_mib)
);
CREATE INDEX instance_total_instance ON instance_total (project, instance_id) WHERE billing_mode = 'instance';

CREATE TABLE invoice (
  id           text PRIMARY KEY,
  project      text NOT NULL REFERENCES account,
  ordinal      integer NOT NULL,
  number       text NOT NULL,
  state        text NOT NULL CHECK (state IN ('draft', 'open', 'paid', 'void')),
  currency     text NOT NULL,
  period_start bigint NOT NULL,
  period_end   bigint NOT NULL,
  price_list   text NOT NULL,
  subtotal     numeric(38, 0) NOT NULL,
  credit_total numeric(38, 0) NOT NULL,
  total        numeric(38, 0) NOT NULL,
  created_at   bigint NOT NULL,
  UNIQUE (project, ordinal),
  UNIQUE (project, number),
  CHECK (subtotal + credit_total = total)
);

CREATE TABLE invoice_line (
  invoice_id  text NOT NULL REFERENCES invoice,
  position    integer NOT NULL,
  meter       text NOT NULL,
  service     text NOT NULL,
  description text NOT NULL,
  quantity    numeric(60, 0) NOT NULL,
  unit        text NOT NULL,
  unit_price  numeric(38, 0) NOT NULL,
  priced_unit text NOT NULL,
  amount      numeric(38, 0) NOT NULL,
  usage_rows  bigint NOT NULL,
  PRIMARY KEY (invoice_id, position)
);

CREATE TABLE invoice_credit (
  invoice_id  text NOT NULL REFERENCES invoice,
  position    integer NOT NULL,
  description text NOT NULL,
  amount      numeric(38, 0) NOT NULL,
  PRIMARY KEY (invoice_id, position)
);

-- draft ──(lines add up)──► open ──► paid | void. Nothing else of an invoice changes once it has left draft.
CREATE FUNCTION guard_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  lines   numeric;
  credits numeric;
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.state <> 'draft' THEN
      RAISE EXCEPTION 'invoice %: an invoice begins as draft', NEW.id USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF TG_OP = 'DELETE' OR (OLD.state <> 'draft' AND to_jsonb(NEW) - 'state' IS DISTINCT FROM to_jsonb(OLD) - 'state') THEN
    RAISE EXCEPTION 'invoice % is immutable', OLD.id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.state <> OLD.state
     AND (OLD.state, NEW.state) NOT IN (('draft', 'open'), ('open', 'paid'), ('open', 'void')) THEN
    RAISE EXCEPTION 'invoice %: % cannot become %', OLD.id, OLD.state, NEW.state
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF OLD.state = 'draft' AND NEW.state = 'open' THEN
    SELECT coalesce(sum(amount), 0) INTO lines FROM invoice_line WHERE invoice_id = NEW.id;
    SELECT coalesce(sum(amount), 0) INTO credits FROM invoice_credit WHERE invoice_id = NEW.id;
    IF lines <> NEW.subtotal OR credits <> NEW.credit_total THEN
      RAISE EXCEPTION 'invoice %: lines % + credits % are not subtotal % + credits %',
        NEW.id, lines, credits, NEW.subtotal, NEW.credit_total USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_invoice BEFORE INSERT OR UPDATE OR DELETE ON invoice FOR EACH ROW EXECUTE FUNCTION guard_invoice();

CREATE FUNCTION guard_invoice_part() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  parent       text := CASE TG_OP WHEN 'INSERT' THEN NEW.invoice_id ELSE OLD.invoice_id END;
  parent_state text;
BEGIN
  SELECT state INTO parent_state FROM invoice WHERE id = parent;
  IF TG_OP <> 'INSERT' OR parent_state IS DISTINCT FROM 'draft' THEN
    RAISE EXCEPTION 'invoice % is immutable', parent USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_invoice_line BEFORE INSERT OR UPDATE OR DELETE ON invoice_line
  FOR EACH ROW EXECUTE FUNCTION guard_invoice_part();
CREATE TRIGGER guard_invoice_credit BEFORE INSERT OR UPDATE OR DELETE ON invoice_credit
  FOR EACH ROW EXECUTE FUNCTION guard_invoice_part();

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER usage_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON usage
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER price_list_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON price_list
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER invoice_kept BEFORE TRUNCATE ON invoice FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER invoice_line_kept BEFORE TRUNCATE ON invoice_line FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER invoice_credit_kept BEFORE TRUNCATE ON invoice_credit FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
