-- Taxes have an account of their own: what is collected for the state is not earned.
--   accrued   unbilled   ← revenue      usage was measured; net of taxes
--   taxed     unbilled   ← tax          the period was closed: its taxes are known
--   invoiced  receivable ← unbilled     both together
--   untaxed   tax        ← revenue      beside a `credited` or `voided`, which took it all from revenue
ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_kind_check;
ALTER TABLE ledger_transfer ADD CONSTRAINT ledger_transfer_kind_check
  CHECK (kind IN ('accrued', 'taxed', 'invoiced', 'paid', 'credited', 'voided', 'untaxed'));
ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_debit_check;
ALTER TABLE ledger_transfer ADD CONSTRAINT ledger_transfer_debit_check
  CHECK (debit IN ('unbilled', 'receivable', 'cash', 'revenue', 'refundable', 'tax'));
ALTER TABLE ledger_transfer DROP CONSTRAINT ledger_transfer_credit_check;
ALTER TABLE ledger_transfer ADD CONSTRAINT ledger_transfer_credit_check
  CHECK (credit IN ('unbilled', 'receivable', 'cash', 'revenue', 'refundable', 'tax'));

-- How much of a credit note is tax: what its invoice's tax on all that is credited grew by, half-even to the minor unit.
ALTER TABLE credit_note ADD COLUMN tax numeric(38, 0) NOT NULL DEFAULT 0;
ALTER TABLE credit_note DISABLE TRIGGER credit_note_append_only;
WITH part AS (
  SELECT n.id, n.invoice_id, n.ordinal, i.tax_total, i.total,
    power(10::numeric, 12 - coalesce((p.document->>'minorUnitPlaces')::int, 2)) AS unit,
    sum(n.amount) OVER (PARTITION BY n.invoice_id ORDER BY n.ordinal) AS credited
  FROM credit_note n JOIN invoice i ON i.id = n.invoice_id
    LEFT JOIN price_list p ON p.id = split_part(i.price_list, ', ', 1)
  WHERE i.tax_total <> 0 AND i.total > 0),
-- The quotient and twice the rest of credited × tax ÷ total in minor units; taxes of a positive total are not negative.
quotient AS (
  SELECT id, invoice_id, ordinal, unit, div(credited * tax_total, total * unit) AS whole,
    sign(2 * mod(credited * tax_total, total * unit) - total * unit) AS half FROM part),
rounded AS (
  SELECT id, invoice_id, ordinal,
    (whole + CASE WHEN half > 0 OR (half = 0 AND mod(whole, 2) = 1) THEN 1 ELSE 0 END) * unit AS tax FROM quotient)
UPDATE credit_note n SET tax = grown.tax
  FROM (SELECT id, tax - coalesce(lag(tax) OVER (PARTITION BY invoice_id ORDER BY ordinal), 0) AS tax FROM rounded) AS grown
  WHERE n.id = grown.id;
ALTER TABLE credit_note ENABLE TRIGGER credit_note_append_only;
ALTER TABLE credit_note ADD CONSTRAINT credit_note_tax CHECK (abs(tax) <= amount);

-- Taxes of invoices from before: out of revenue, where they were put with what was accrued.
INSERT INTO ledger_transfer (project, kind, ordinal, debit, credit, amount, at)
  SELECT project, 'accrued', ordinal, CASE WHEN tax_total < 0 THEN 'unbilled' ELSE 'revenue' END,
    CASE WHEN tax_total < 0 THEN 'revenue' ELSE 'unbilled' END, abs(tax_total), created_at
  FROM invoice WHERE tax_total <> 0 AND state <> 'draft' ORDER BY created_at;
INSERT INTO ledger_transfer (project, kind, ordinal, document, debit, credit, amount, at)
  SELECT project, 'taxed', ordinal, id, CASE WHEN tax_total < 0 THEN 'tax' ELSE 'unbilled' END,
    CASE WHEN tax_total < 0 THEN 'unbilled' ELSE 'tax' END, abs(tax_total), created_at
  FROM invoice WHERE tax_total <> 0 AND state <> 'draft' ORDER BY created_at;
INSERT INTO ledger_transfer (project, kind, ordinal, document, debit, credit, amount, at)
  SELECT n.project, 'untaxed', i.ordinal, n.id, 'tax', 'revenue', n.tax, n.created_at
  FROM credit_note n JOIN invoice i ON i.id = n.invoice_id WHERE n.tax > 0 ORDER BY n.created_at;
INSERT INTO ledger_transfer (project, kind, ordinal, document, debit, credit, amount, at)
  SELECT project, 'untaxed', ordinal, id, CASE WHEN rest < 0 THEN 'revenue' ELSE 'tax' END,
    CASE WHEN rest < 0 THEN 'tax' ELSE 'revenue' END, abs(rest), settled_at
  FROM (SELECT i.*, tax_total - coalesce((SELECT sum(tax) FROM credit_note n WHERE n.invoice_id = i.id), 0) AS rest
        FROM invoice i WHERE state = 'void') AS voided
  WHERE rest <> 0 ORDER BY settled_at;

-- An invoice with taxes has its entry of them, too.
CREATE OR REPLACE FUNCTION require_entry() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  wanted text[] := ARRAY['credited'];
  missing text;
BEGIN
  IF TG_TABLE_NAME = 'invoice' THEN
    wanted := CASE NEW.state WHEN 'open' THEN ARRAY['invoiced'] WHEN 'paid' THEN ARRAY['paid']
      WHEN 'void' THEN ARRAY['voided'] ELSE ARRAY[]::text[] END;
    IF NEW.state = 'open' AND NEW.tax_total <> 0 THEN
      wanted := wanted || 'taxed'::text;
    END IF;
  ELSIF NEW.tax <> 0 THEN
    wanted := wanted || 'untaxed'::text;
  END IF;
  FOREACH missing IN ARRAY wanted LOOP
    IF NOT EXISTS (SELECT 1 FROM ledger_transfer WHERE document = NEW.id AND kind = missing) THEN
      RAISE EXCEPTION '% %: the ledger has no entry of kind %', TG_TABLE_NAME, NEW.id, missing
        USING ERRCODE = 'integrity_constraint_violation';
    END IF;
  END LOOP;
  RETURN NULL;
END $$;

-- Credit notes are drawn once and kept, too, as invoices are.
CREATE TABLE credit_note_document (
  credit_note_id text PRIMARY KEY REFERENCES credit_note,
  content        bytea NOT NULL,
  drawn_at       bigint NOT NULL
);
CREATE TRIGGER credit_note_document_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON credit_note_document
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
