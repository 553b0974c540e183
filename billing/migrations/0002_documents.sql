-- An invoice's end, credit notes, and the ledger. Money is a count of 10^-12 of the currency, times are Unix milliseconds.

ALTER TABLE account ADD COLUMN next_credit_note_number bigint NOT NULL DEFAULT 1;
ALTER TABLE invoice ADD COLUMN settled_at bigint;
ALTER TABLE invoice ADD CONSTRAINT invoice_settled CHECK ((state IN ('paid', 'void')) = (settled_at IS NOT NULL));

CREATE OR REPLACE FUNCTION guard_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
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
  IF TG_OP = 'DELETE' OR (OLD.state <> 'draft'
     AND to_jsonb(NEW) - 'state' - 'settled_at' IS DISTINCT FROM to_jsonb(OLD) - 'state' - 'settled_at') THEN
    RAISE EXCEPTION 'invoice % is immutable', OLD.id USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.settled_at IS DISTINCT FROM OLD.settled_at AND NEW.state = OLD.state THEN
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

-- What takes back a part of a finalized invoice. `refundable`: the invoice was paid by then, so the money is owed back.
CREATE TABLE credit_note (
  id         text PRIMARY KEY,
  project    text NOT NULL REFERENCES account,
  ordinal    bigint NOT NULL,
  number     text NOT NULL,
  invoice_id text NOT NULL REFERENCES invoice,
  reason     text NOT NULL,
  amount     numeric(38, 0) NOT NULL CHECK (amount > 0),
  refundable boolean NOT NULL,
  created_at bigint NOT NULL,
  UNIQUE (project, ordinal),
  UNIQUE (project, number)
);
CREATE INDEX credit_note_invoice ON credit_note (invoice_id);

CREATE FUNCTION guard_credit_note() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  credited invoice;
  before   numeric;
BEGIN
  -- The lock makes two notes at once see each other.
  SELECT * INTO credited FROM invoice WHERE id = NEW.invoice_id FOR NO KEY UPDATE;
  IF credited.project <> NEW.project OR credited.state NOT IN ('open', 'paid')
     OR (credited.state = 'paid') <> NEW.refundable THEN
    RAISE EXCEPTION 'credit note %: invoice % is %', NEW.id, NEW.invoice_id, credited.state
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  SELECT coalesce(sum(amount), 0) INTO before FROM credit_note WHERE invoice_id = NEW.invoice_id;
  IF before + NEW.amount > credited.total THEN
    RAISE EXCEPTION 'credit note %: % and % credited before are more than the invoice''s %',
      NEW.id, NEW.amount, before, credited.total USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_credit_note BEFORE INSERT ON credit_note FOR EACH ROW EXECUTE FUNCTION guard_credit_note();
CREATE TRIGGER credit_note_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_note
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Double entry: a row takes an amount from one account to another, so all accounts together are always zero.
--   accrued   unbilled   ← revenue      usage was measured; in parts while the period is open
--   invoiced  receivable ← unbilled     the period was closed
--   paid      cash       ← receivable
--   credited  revenue    ← receivable   or refundable, where the invoice was paid
--   voided    revenue    ← receivable
-- A negative amount has its accounts exchanged.
CREATE TABLE ledger_transfer (
  seq      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  project  text NOT NULL REFERENCES account,
  kind     text NOT NULL CHECK (kind IN ('accrued', 'invoiced', 'paid', 'credited', 'voided')),
  ordinal  integer NOT NULL,
  -- The invoice or credit note; null for what is accrued.
  document text,
  debit    text NOT NULL CHECK (debit IN ('unbilled', 'receivable', 'cash', 'revenue', 'refundable')),
  credit   text NOT NULL CHECK (credit IN ('unbilled', 'receivable', 'cash', 'revenue', 'refundable')),
  amount   numeric(38, 0) NOT NULL CHECK (amount >= 0),
  at       bigint NOT NULL,
  CHECK (debit <> credit),
  CHECK ((kind = 'accrued') = (document IS NULL))
);
CREATE UNIQUE INDEX ledger_transfer_document ON ledger_transfer (document, kind);
CREATE INDEX ledger_transfer_project ON ledger_transfer (project, seq);
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_transfer
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Invoices from before the ledger.
INSERT INTO ledger_transfer (project, kind, ordinal, debit, credit, amount, at)
  SELECT project, 'accrued', ordinal, CASE WHEN total < 0 THEN 'revenue' ELSE 'unbilled' END,
    CASE WHEN total < 0 THEN 'unbilled' ELSE 'revenue' END, abs(total), created_at FROM invoice ORDER BY created_at;
INSERT INTO ledger_transfer (project, kind, ordinal, document, debit, credit, amount, at)
  SELECT project, 'invoiced', ordinal, id, CASE WHEN total < 0 THEN 'unbilled' ELSE 'receivable' END,
    CASE WHEN total < 0 THEN 'receivable' ELSE 'unbilled' END, abs(total), created_at FROM invoice ORDER BY created_at;

-- No document without its entry: asked at the end of the transaction, so that their order in it is free.
CREATE FUNCTION require_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted text := 'credited';
BEGIN
  IF TG_TABLE_NAME = 'invoice' THEN
    wanted := CASE NEW.state WHEN 'open' THEN 'invoiced' WHEN 'paid' THEN 'paid' WHEN 'void' THEN 'voided' END;
  END IF;
  IF wanted IS NOT NULL AND NOT EXISTS (SELECT 1 FROM ledger_transfer WHERE document = NEW.id AND kind = wanted) THEN
    RAISE EXCEPTION '% %: the ledger has no entry of kind %', TG_TABLE_NAME, NEW.id, wanted
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER invoice_posted AFTER UPDATE OF state ON invoice DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION require_entry();
CREATE CONSTRAINT TRIGGER credit_note_posted AFTER INSERT ON credit_note DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW EXECUTE FUNCTION require_entry();
