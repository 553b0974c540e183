-- What guards invoices looks at this schema's tables, whatever the session that changes one looks at: a temporary table
-- called `invoice` would be found first, and say that a finalized one is a draft.
DO $$
DECLARE
  guard text;
BEGIN
  FOREACH guard IN ARRAY ARRAY['guard_invoice', 'guard_invoice_part', 'guard_credit_note', 'require_entry'] LOOP
    EXECUTE format('ALTER FUNCTION %I() SET search_path = %I, pg_temp', guard, current_schema());
  END LOOP;
END $$;
