-- Documents as they were drawn: an invoice in each of its states, once. What was handed out never changes.
CREATE TABLE document (
  invoice_id text NOT NULL REFERENCES invoice,
  state      text NOT NULL CHECK (state IN ('open', 'paid', 'void')),
  project    text NOT NULL,
  content    bytea NOT NULL,
  drawn_at   bigint NOT NULL,
  PRIMARY KEY (invoice_id, state)
);
CREATE TRIGGER document_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON document
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Up to where gateways' and runtimes' usage of a project was compared, Unix ms.
CREATE TABLE usage_comparison (
  project text PRIMARY KEY REFERENCES account,
  until   bigint NOT NULL
);

-- open → collecting → closed, each step once; where a period begins, ends and was sealed never changes again.
CREATE FUNCTION guard_period() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' OR (OLD.state, NEW.state) NOT IN (('open', 'collecting'), ('collecting', 'closed'))
     OR NEW.project <> OLD.project OR NEW.ordinal <> OLD.ordinal OR NEW.starts_at <> OLD.starts_at
     OR (OLD.ends_at IS NOT NULL AND NEW.ends_at IS DISTINCT FROM OLD.ends_at) THEN
    RAISE EXCEPTION 'period % of %: % cannot be changed so', OLD.ordinal, OLD.project, OLD.state
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_period BEFORE UPDATE OR DELETE ON period FOR EACH ROW EXECUTE FUNCTION guard_period();
CREATE TRIGGER period_kept BEFORE TRUNCATE ON period FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Numbers have no gap: the next one is taken, or none.
CREATE FUNCTION guard_numbers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.next_invoice_number - OLD.next_invoice_number NOT IN (0, 1)
     OR NEW.next_credit_note_number - OLD.next_credit_note_number NOT IN (0, 1) THEN
    RAISE EXCEPTION 'account %: numbers are taken one by one', OLD.project
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER guard_numbers BEFORE UPDATE ON account FOR EACH ROW EXECUTE FUNCTION guard_numbers();
