import type { DataSource } from 'typeorm';
import { firstPrice, setTaxRate } from '#libs/billing';

/** Spans of one month, and those who pay for them: one partner has a fifth of all, so chunks are put to the test. */
export const SPANS = 100_000;
export const ACCOUNTS = 1000;
export const MONTH = new Date('2026-09-01T00:00:00Z');
export const AFTERWARDS = new Date('2026-10-02T00:00:00Z');

/**
 * A month like many: half of the spans are open or last all of it, the rest open and close within, some after a
 * resize, with a change of price in the middle.
 */
export async function stockBooks(dataSource: DataSource): Promise<void> {
  const { manager } = dataSource;
  await manager.query(`SELECT setseed(0.42)`);
  for (const [item, hourlyMicro] of [
    ['compute/s1', 500_000],
    ['disk/s1', 125_000],
    ['compute/s2', 1_000_000],
    ['disk/s2', 250_000],
  ] as const) {
    await firstPrice(manager, { item, title: item, hourlyMicro });
    await manager.query(
      `INSERT INTO price_versions (item, effective_from, hourly_micro, recorded_at)
       VALUES ($1, '2026-09-16Z', $2, '2026-09-01Z')`,
      [item, hourlyMicro + 777],
    );
  }
  await setTaxRate(manager, { country: 'DE', effectiveFrom: new Date(0), basisPoints: 1900 });
  await manager.query(`UPDATE billing_settings SET seller = '{"name": "Bench", "country": "DE"}'`);
  await manager.query(
    `INSERT INTO billing_accounts (account_id, currency, sealed_until, billed_until)
     SELECT n, 'eur', '2026-09-01Z', '2026-09-01Z' FROM generate_series(1, ${ACCOUNTS}) AS n`,
  );
  await manager.query(
    `INSERT INTO usage_spans (id, account_id, project_id, server_id, server_name, price_item, opened_at, closed_at)
     SELECT n * 2 + half, CASE WHEN n % 5 = 0 THEN 1 ELSE 1 + n % ${ACCOUNTS} END, 1, n, 'vm-' || n,
            CASE half WHEN 0 THEN 'compute' ELSE 'disk' END || CASE n % 3 WHEN 0 THEN '/s2' ELSE '/s1' END,
            date_trunc('second', opened), date_trunc('second', opened + lasted)
     FROM (SELECT n, timestamptz '2026-09-01Z' + random() * interval '20 days' AS opened,
                  CASE WHEN n % 2 = 0 THEN NULL ELSE random() * interval '15 days' END AS lasted
           FROM generate_series(1, ${SPANS / 2}) AS n) AS servers
     CROSS JOIN generate_series(0, 1) AS half`,
  );
  await manager.query('ANALYZE');
}

/** Takes all invoices back, so that the month can be closed again. The database is thrown away afterwards. */
export async function reopenBooks(dataSource: DataSource): Promise<void> {
  await dataSource.transaction(async (manager) => {
    const tables = await manager.query<{ name: string }[]>(
      `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`,
    );
    for (const { name } of tables) await manager.query(`ALTER TABLE ${name} DISABLE TRIGGER USER`);
    await manager.query('GRANT TRUNCATE ON ALL TABLES IN SCHEMA public TO CURRENT_USER');
    await manager.query('TRUNCATE invoices, invoice_lines, ledger_transactions CASCADE');
    for (const { name } of tables) await manager.query(`ALTER TABLE ${name} ENABLE TRIGGER USER`);
    await manager.query(
      `UPDATE billing_accounts SET sealed_until = '2026-09-01Z', billed_until = '2026-09-01Z'`,
    );
    await manager.query('DELETE FROM document_series');
  });
  await dataSource.query('VACUUM ANALYZE');
}

/** The baseline: what the same spans are worth by one SQL aggregate, without cap, minimum, lines or documents. */
export async function bareAggregate(dataSource: DataSource): Promise<void> {
  await dataSource.query(
    `SELECT account_id, sum(round(extract(epoch FROM least(closed_at, '2026-10-01Z') - opened_at) * hourly_micro / 3600))
     FROM usage_spans u JOIN price_versions v ON v.item = u.price_item AND v.effective_from = 'epoch'
     WHERE opened_at < '2026-10-01Z' AND (closed_at IS NULL OR closed_at > '2026-09-01Z') GROUP BY account_id`,
  );
}
