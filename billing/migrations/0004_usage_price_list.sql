-- The foreign key asked once per row; this asks once per statement. Price lists are never deleted, so it is as good.
ALTER TABLE usage DROP CONSTRAINT usage_price_list_fkey;
CREATE FUNCTION require_price_list() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  missing text;
BEGIN
  SELECT price_list INTO missing FROM (SELECT DISTINCT price_list FROM fresh) AS used
    WHERE NOT EXISTS (SELECT 1 FROM price_list WHERE id = used.price_list) LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'usage: there is no price list %', missing USING ERRCODE = 'foreign_key_violation';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER usage_price_list AFTER INSERT ON usage REFERENCING NEW TABLE AS fresh
  FOR EACH STATEMENT EXECUTE FUNCTION require_price_list();
