-- Taxes of an invoice: subtotal + credits + taxes = total, asked for by the database.
ALTER TABLE invoice ADD COLUMN tax_total numeric(38, 0) NOT NULL DEFAULT 0;
ALTER TABLE invoice DROP CONSTRAINT invoice_check;
ALTER TABLE invoice ADD CONSTRAINT invoice_adds_up CHECK (subtotal + credit_total + tax_total = total);

CREATE TABLE invoice_tax (
  invoice_id text NOT NULL REFERENCES invoice,
  position   integer NOT NULL,
  name       text NOT NULL,
  -- In 1/10 000 of a percent.
  percent    integer NOT NULL CHECK (percent >= 0),
  amount     numeric(38, 0) NOT NULL,
  PRIMARY KEY (invoice_id, position)
);
CREATE TRIGGER guard_invoice_tax BEFORE INSERT OR UPDATE OR DELETE ON invoice_tax
  FOR EACH ROW EXECUTE FUNCTION guard_invoice_part();
CREATE TRIGGER invoice_tax_kept BEFORE TRUNCATE ON invoice_tax FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE OR REPLACE FUNCTION guard_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  lines   numeric;
  credits numeric;
  taxes   numeric;
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
    SELECT coalesce(sum(amount), 0) INTO taxes FROM invoice_tax WHERE invoice_id = NEW.id;
    IF lines <> NEW.subtotal OR credits <> NEW.credit_total OR taxes <> NEW.tax_total THEN
      RAISE EXCEPTION 'invoice %: lines % + credits % + taxes % are not subtotal % + credits % + taxes %',
        NEW.id, lines, credits, taxes, NEW.subtotal, NEW.credit_total, NEW.tax_total USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;
