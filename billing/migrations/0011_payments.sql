-- What an invoice was paid by: the number of a transfer, for instance. Invoices that were paid before this have none.
CREATE TABLE invoice_payment (
  invoice_id  text PRIMARY KEY REFERENCES invoice,
  reference   text NOT NULL CHECK (reference <> ''),
  recorded_at bigint NOT NULL
);
CREATE TRIGGER invoice_payment_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON invoice_payment
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
