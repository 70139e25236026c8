import type { MigrationInterface, QueryRunner } from 'typeorm';

/**
 * Which invoices are open, and with how much: so few of all that whoever collects them need not add up the others. It is
 * kept by the database from the settlements, which stay the truth. And an index for the spans of one server.
 */
export class OpenInvoices1760000740000 implements MigrationInterface {
  name = 'OpenInvoices1760000740000';

  async up(db: QueryRunner): Promise<void> {
    await db.query(OPEN_INVOICES);
    await db.query(`
      CREATE INDEX usage_spans_server ON usage_spans (server_id, component, slot, closed_at);
      CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger_accounts
        FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
    `);
  }

  async down(db: QueryRunner): Promise<void> {
    await db.query(`
      DROP TRIGGER append_only ON ledger_accounts;
      DROP INDEX usage_spans_server;
      DROP TRIGGER invoice_open_so_far ON invoice_settlements;
      DROP TRIGGER invoice_open_so_far ON invoices;
      DROP FUNCTION mark_open_invoice;
      DROP TABLE open_invoices;
    `);
  }
}

const OPEN_INVOICES = `
  CREATE TABLE open_invoices (
    invoice_id bigint PRIMARY KEY REFERENCES invoices,
    account_id bigint NOT NULL,
    open_minor bigint NOT NULL CHECK (open_minor > 0)
  );
  CREATE INDEX open_invoices_account ON open_invoices (account_id);
  COMMENT ON TABLE open_invoices IS
    'follows from invoice_balances, where an invoice has a row whether it is open or not; the daily check compares them';
  INSERT INTO open_invoices SELECT id, account_id, open_minor FROM invoice_balances WHERE open_minor > 0;

  CREATE FUNCTION mark_open_invoice() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    changed bigint := coalesce(to_jsonb(NEW) ->> 'invoice_id', to_jsonb(NEW) ->> 'id')::bigint;
    balance record;
  BEGIN
    SELECT account_id, open_minor INTO STRICT balance FROM invoice_balances WHERE id = changed;
    IF balance.open_minor = 0 THEN
      DELETE FROM open_invoices WHERE invoice_id = changed;
    ELSE
      INSERT INTO open_invoices VALUES (changed, balance.account_id, balance.open_minor)
        ON CONFLICT (invoice_id) DO UPDATE SET open_minor = excluded.open_minor;
    END IF;
    RETURN NULL;
  END $$;
  -- After the check that an invoice is not settled beyond its total: triggers fire by their names.
  CREATE TRIGGER invoice_open_so_far AFTER INSERT ON invoices FOR EACH ROW EXECUTE FUNCTION mark_open_invoice();
  CREATE TRIGGER invoice_open_so_far AFTER INSERT ON invoice_settlements
    FOR EACH ROW EXECUTE FUNCTION mark_open_invoice();
`;
