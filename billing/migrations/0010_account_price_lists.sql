-- Price lists that an account changed to: from `effective_from` on, until the next change; before the first, the account's
-- own. Usage keeps the version that priced it. A change that is still to come may be taken back, which deletes it.
CREATE TABLE account_price_list (
  project        text NOT NULL REFERENCES account,
  effective_from bigint NOT NULL,
  price_list     text NOT NULL,
  created_at     bigint NOT NULL,
  PRIMARY KEY (project, effective_from)
);
CREATE TRIGGER account_price_list_kept BEFORE UPDATE OR TRUNCATE ON account_price_list
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
