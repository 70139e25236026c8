import { beforeAll, describe, expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import { behindTheBack } from '../../test/support/superuser.ts';
import { testDatabase } from '../../test/support/test-database.ts';
import { checkBooks } from './check-books.ts';
import { closeAccount } from './close-account.ts';
import { grantCredit } from './credit.ts';
import { firstPrice } from './price-book.ts';
import { openServer } from './server-usage.ts';

const database = testDatabase();
const opened = new Date('2026-05-01T00:00:00Z');
const until = new Date('2026-05-01T05:00:00Z');

beforeAll(async () => {
  const { dataSource } = database;
  await firstPrice(dataSource.manager, { item: 'disk/c', title: 'c: disk', hourlyMicro: 3_333_333 });
  await firstPrice(dataSource.manager, { item: 'compute/c', title: 'c: CPU', hourlyMicro: 1_777_777 });
  const names = { serverName: 'vm', serverTypeName: 'c', imageName: 'none', currency: 'eur' };
  for (const [accountId, serverId] of [
    [newId(), newId()],
    [newId(), newId()],
  ] as const) {
    const cause = { kind: 'test', id: String(accountId) };
    const grant = { accountId, currency: 'eur', amountMinor: 9, source: 'grant' as const, at: opened, cause };
    await dataSource.transaction((manager) => grantCredit(manager, grant));
    const server = { accountId, projectId: 1, serverId, isRunning: true, ...names };
    await dataSource.transaction((manager) => openServer(manager, server, opened));
    await closeAccount(dataSource, accountId, { until, now: until, reason: 'manual' });
  }
});

const ROLL_BACK = new Error('rolled back');

/** Rules that are broken once `change` is made behind the back of all triggers; it is rolled back. */
async function brokenBy(change: string): Promise<string[]> {
  let broken: string[] = [];
  const isBroken = behindTheBack(database, async (manager) => {
    await manager.query(change);
    broken = (await checkBooks(manager)).map(({ rule }) => rule);
    throw ROLL_BACK;
  });
  await expect(isBroken).rejects.toBe(ROLL_BACK);
  return broken;
}

const one = (table: string) => `ctid = (SELECT ctid FROM ${table} LIMIT 1)`;

describe('the daily check', () => {
  it('finds nothing in sound books', async () => {
    expect(await brokenBy('SELECT 1')).toEqual([]);
  });

  it.each([
    {
      change: `UPDATE ledger_entries SET amount = amount + 1 WHERE account = 'rounding' AND ${one("ledger_entries WHERE account = 'rounding'")}`,
      rules: ['every transaction sums to zero', 'the ledger sums to zero'],
    },
    {
      change: `INSERT INTO ledger_transactions (id, cause_kind, cause_id, posted_at) VALUES (1, 'a', 'b', now())`,
      rules: ['every transaction sums to zero'],
    },
    {
      change: `DELETE FROM credit_uses WHERE ${one('credit_uses')}`,
      rules: ['credit in the ledger is what is left of the lots'],
    },
    {
      change: `DELETE FROM invoice_settlements WHERE ${one('invoice_settlements')}`,
      rules: [
        'what customers owe is what is open of their invoices',
        'what is marked as open is what is open',
      ],
    },
    {
      change: `UPDATE open_invoices SET open_minor = open_minor + 1 WHERE ${one('open_invoices')}`,
      rules: ['what is marked as open is what is open'],
    },
    {
      change: `UPDATE invoice_lines SET amount_minor = amount_minor + 1 WHERE ${one('invoice_lines')}`,
      rules: ['an invoice is the sum of its lines, and each line has one'],
    },
    {
      change: `INSERT INTO invoice_lines SELECT 5, line, NULL, server_id, server_name, component, title, slot, used_from,
                 used_until, 0, 0, 1, 0, 0, 0 FROM invoice_lines LIMIT 1`,
      rules: ['an invoice is the sum of its lines, and each line has one'],
    },
    {
      change: `UPDATE invoice_lines SET amount_micro = amount_micro - 1 WHERE ${one('invoice_lines')}`,
      rules: ['revenue in the ledger is the exact worth of the invoices'],
    },
    {
      change: 'UPDATE invoices SET number = 7 WHERE number = 2',
      rules: ['the numbers of a series have no gaps'],
    },
    {
      change: `UPDATE invoice_lines SET seconds = seconds - 1 WHERE ${one('invoice_lines')}`,
      rules: ['every second until an account is billed is on one line'],
    },
    {
      change: `UPDATE usage_spans SET closed_at = '2026-05-01T04:00:00Z' WHERE ${one('usage_spans')}`,
      rules: ['every second until an account is billed is on one line'],
    },
  ])('finds what breaks $rules', async ({ change, rules }) => {
    expect(await brokenBy(change)).toEqual(rules);
  });
});
