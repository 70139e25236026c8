import { randomBytes } from 'node:crypto';
import pg from 'pg';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createDataSource, migrate } from '#libs/database';
import { newId } from '#libs/kernel';
import { checkBooks } from './check-books.ts';
import { creditBalanceMinor, creditPayment } from './credit.ts';
import { firstPrice } from './price-book.ts';
import { openServer } from './server-usage.ts';

/** The database of an operator whose application owns its tables and is no superuser. */
const name = `servery_owned_${randomBytes(4).toString('hex')}`;
let admin: pg.Client;
let dataSource: DataSource;

beforeAll(async () => {
  admin = new pg.Client({ connectionString: process.env.TEST_DATABASE_URL });
  await admin.connect();
  await admin.query(`CREATE ROLE ${name} LOGIN PASSWORD '${name}'`);
  await admin.query(`CREATE DATABASE ${name} OWNER ${name}`);
  const url = new URL(process.env.TEST_DATABASE_URL ?? '');
  Object.assign(url, { pathname: name, username: name, password: name });
  dataSource = await createDataSource(url.toString()).initialize();
  await migrate(dataSource);
});

afterAll(async () => {
  await dataSource?.destroy();
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
  await admin.query(`DROP ROLE IF EXISTS ${name}`);
  await admin.end();
});

describe('an application that owns its tables', () => {
  it('writes the ledger, and has no privilege to change it', async () => {
    const accountId = newId();
    const at = new Date();
    await firstPrice(dataSource.manager, { item: 'disk/x', title: 'x', hourlyMicro: 5 });
    const cause = { kind: 'test', id: '1' };
    await creditPayment(dataSource.manager, { accountId, currency: 'eur', amountMinor: 5, at, cause });
    const names = { serverName: 'a', serverTypeName: 'x', imageName: 'none', currency: 'eur' };
    const server = { accountId, projectId: 1, serverId: newId(), isRunning: false };
    await dataSource.transaction((manager) => openServer(manager, { ...names, ...server }));
    for (const change of [
      'UPDATE ledger_entries SET amount = 1',
      'DELETE FROM ledger_entries',
      'TRUNCATE ledger_entries',
      'UPDATE ledger_transactions SET posted_at = now()',
      'DELETE FROM ledger_transactions',
      'UPDATE price_versions SET hourly_micro = 0',
      'DELETE FROM usage_spans',
      'DELETE FROM credit_uses',
      'UPDATE invoice_lines SET amount_minor = 0',
      'DELETE FROM invoices',
      'DELETE FROM credit_notes',
    ]) {
      await expect(dataSource.query(change), change).rejects.toThrow('permission denied');
    }
  });

  it('may point at every row that a foreign key points at', async () => {
    const unreachable = await dataSource.query(
      `SELECT conrelid::regclass AS "from", confrelid::regclass AS "to" FROM pg_constraint
       WHERE contype = 'f' AND NOT has_any_column_privilege(confrelid, 'UPDATE')`,
    );
    expect(unreachable).toEqual([]);
  });
});

/** Goes back to before there was a ledger. @returns how many migrations that were */
async function undoLedger(): Promise<number> {
  const ledger = `SELECT 1 FROM migrations WHERE name = 'Ledger1760000400000'`;
  let undone = 0;
  for (; (await dataSource.query<unknown[]>(ledger)).length > 0; undone += 1)
    await dataSource.undoLastMigration();
  return undone;
}

describe('an installation from before the ledger', () => {
  it('keeps its credit, its usage and its prices on the way up, and on the way down', async () => {
    const undone = await undoLedger();
    const [account, server, type] = [newId(), newId(), newId()];
    await dataSource.query(OLD_ROWS(account, server, type));
    expect(await migrate(dataSource)).toHaveLength(undone);
    const { manager } = dataSource;
    expect(await creditBalanceMinor(manager, account, 'eur')).toBe(300);
    expect(await checkBooks(manager)).toEqual([]);
    const spans = await manager.query(
      `SELECT component, price_item, hourly_micro, opened_at FROM usage_spans
       JOIN price_versions ON item = price_item WHERE server_id = $1 ORDER BY 1`,
      [server],
    );
    const opened_at = new Date('2026-05-01T10:00:03Z');
    expect(spans).toEqual([
      { component: 'compute', price_item: 'compute/s9', hourly_micro: 801, opened_at },
      { component: 'disk', price_item: 'disk/s9', hourly_micro: 200, opened_at },
    ]);
    await undoLedger();
    const credit = 'SELECT sum(amount_minor)::int AS sum FROM credit_entries WHERE account_id = $1';
    expect(await dataSource.query(credit, [account])).toEqual([{ sum: 300 }]);
    const span = 'SELECT price_hourly_micro, closed_at FROM usage_spans WHERE server_id = $1';
    expect(await dataSource.query(span, [server])).toEqual([{ price_hourly_micro: 1001, closed_at: null }]);
    await migrate(dataSource);
  });
});

const OLD_ROWS = (account: number, server: number, type: number) => `
  INSERT INTO locations VALUES (1, 'lab', 'Lab', 'Lab', 'DE', 'lab');
  INSERT INTO server_types (id, name, description, vcpus, memory_mib, disk_gib, price_hourly_micro, price_monthly_minor)
    VALUES (${type}, 's9', 'Nine', 1, 1024, 10, 1001, 1);
  INSERT INTO images (id, name, type, volume_name, sha256, file_size_bytes, virtual_size_bytes, appliance, package_count)
    VALUES (1, 'web', 'app', 'v', 'x', 1, 1, '{}', 1);
  INSERT INTO servers (id, account_id, project_id, name, domain_uuid, server_type_id, image_id, location_id, desired,
                       observed, credential_kind)
    VALUES (${server}, ${account}, 1, 'web-1', gen_random_uuid(), ${type}, 1, 1, 'running', 'running', 'ssh_key');
  INSERT INTO usage_spans VALUES
    (${server - 7}, ${account}, 1, ${server}, ${type}, 1001, 1, 'eur', '2026-05-01T10:00:03.7Z', NULL);
  INSERT INTO credit_entries VALUES
    (7, ${account}, 420, 'eur', 'hold_captured', 'pi_1', '2026-05-01T10:00:00Z'),
    (8, ${account}, -120, 'eur', 'hold_refunded', 'pi_1/33', '2026-05-02T10:00:00Z');
`;
