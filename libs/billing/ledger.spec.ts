import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { asSuperuser } from '../../test/support/superuser.ts';
import { testDatabase } from '../../test/support/test-database.ts';
import { creditBalanceMinor, creditPayment, grantCredit } from './credit.ts';
import { takeBackPayment } from './credit-reversal.ts';
import { credit, debit, type LedgerEntry, ledgerBalance, post } from './ledger.ts';

const database = testDatabase();
const at = new Date('2026-05-03T10:00:00Z');

function postIt(entries: readonly LedgerEntry[], id = String(newId()), moment = at): Promise<boolean> {
  return runInTransaction(database.dataSource, (manager) =>
    post(manager, { cause: { kind: 'test', id }, at: moment, currency: 'eur', entries }),
  );
}

function balance(...more: [of?: Parameters<typeof ledgerBalance>[3]]): Promise<bigint> {
  return ledgerBalance(database.dataSource.manager, 'bank', 'eur', ...more);
}

describe('a ledger transaction', () => {
  it('is committed when it sums to zero across units, and else refused as a whole', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.bigInt({ min: -(10n ** 9n), max: 10n ** 9n }).filter((amount) => amount !== 0n),
        fc.bigInt({ min: -3n, max: 3n }),
        async (minor, offByMicro) => {
          const before = await balance();
          const posting = postIt([
            debit('bank', minor),
            credit('revenue_compute', minor * 1_000_000n - 5n),
            credit('rounding', 5n + offByMicro),
          ]);
          if (offByMicro === 0n) await posting;
          else
            await expect(posting).rejects.toMatchObject({
              driverError: { constraint: 'ledger_sums_to_zero' },
            });
          expect((await balance()) - before).toBe(offByMicro === 0n ? minor : 0n);
        },
      ),
      { numRuns: 40 },
    );
  });

  it('cannot be empty, be changed, be taken back or get entries later', async () => {
    const { dataSource } = database;
    const id = newId();
    const empty = dataSource.query(
      `INSERT INTO ledger_transactions (id, cause_kind, cause_id, posted_at) VALUES ($1, 'test', 'empty', now())`,
      [id],
    );
    await expect(empty).rejects.toThrow('does not sum to zero');
    await postIt([debit('bank', 5), credit('write_offs', 5)], 'sealed');
    for (const change of [
      'UPDATE ledger_entries SET amount = amount + 1',
      'DELETE FROM ledger_entries',
      'TRUNCATE ledger_entries, ledger_transactions',
      `UPDATE ledger_transactions SET posted_at = now()`,
      'DELETE FROM ledger_transactions WHERE false',
    ]) {
      await expect(dataSource.query(change), change).rejects.toThrow('permission denied');
      const bySuperuser = asSuperuser(database, (manager) => manager.query(change));
      await expect(bySuperuser, change).rejects.toThrow('is append-only');
    }
    const later = dataSource.query(
      `INSERT INTO ledger_entries (transaction_id, line, account, currency, amount, posted_at)
       SELECT id, line + 2, account, currency, amount, e.posted_at FROM ledger_transactions t
       JOIN ledger_entries e ON e.transaction_id = t.id WHERE cause_id = 'sealed'`,
    );
    await expect(later).rejects.toThrow('is closed: nothing is added to it');
  });

  it('cannot be changed by the owner of its tables, who lacks the privilege', async () => {
    const rows = await database.dataSource.query<{ owner: string; grants: string }[]>(
      `SELECT pg_get_userbyid(relowner) AS owner, array_to_string(relacl, ',') AS grants FROM pg_class
       WHERE relname IN ('ledger_entries', 'credit_uses', 'price_versions')`,
    );
    expect(rows).toHaveLength(3);
    for (const { owner, grants } of rows) expect(grants).toMatch(new RegExp(`^${owner}=[^wdD]+/${owner}$`));
  });

  it('is posted once per cause, and not again with other entries', async () => {
    const entries = [debit('bank', 700), credit('receivable', 700, { customerId: 1 })];
    const both = await Promise.all([postIt(entries, 'twice'), postIt(entries, 'twice')]);
    expect(both.sort()).toEqual([false, true]);
    const other = postIt([debit('bank', 701), credit('receivable', 701, { customerId: 1 })], 'twice');
    await expect(other).rejects.toMatchObject({ code: 'cause_posted_differently' });
  });

  it('names a customer where the account is kept by customer, and only there', async () => {
    await expect(postIt([debit('bank', 1), credit('receivable', 1)])).rejects.toThrow('kept by customer');
    const strange = postIt([debit('bank', 1, { customerId: 3 }), credit('write_offs', 1)]);
    await expect(strange).rejects.toThrow('kept by customer');
  });

  it('lets the balance of any past moment be told', async () => {
    const moments = [1, 2, 3].map((day) => new Date(Date.UTC(2020, 0, day)));
    for (const moment of moments)
      await postIt([debit('bank', 10), credit('write_offs', 10)], undefined, moment);
    const told = await Promise.all(moments.map((before) => balance({ before })));
    expect(told).toEqual([0n, 10n, 20n]);
  });
});

describe('credit', () => {
  const currency = 'eur';
  const cause = () => ({ kind: 'test', id: String(newId()) });

  it('is what was paid, once per cause, less what went back', async () => {
    const { manager } = database.dataSource;
    const accountId = newId();
    const paid = { accountId, currency, amountMinor: 420, at, cause: cause() };
    const told = [1, 2, 3].map(() => runInTransaction(database.dataSource, (m) => creditPayment(m, paid)));
    expect((await Promise.all(told)).filter(Boolean)).toHaveLength(1);
    expect(await creditBalanceMinor(manager, accountId, currency)).toBe(420);
    const refund = { ...paid, amountMinor: 20, cause: cause() };
    for (const isNew of [true, false]) {
      expect(await runInTransaction(database.dataSource, (m) => takeBackPayment(m, refund))).toBe(isNew);
    }
    expect(await creditBalanceMinor(manager, accountId, currency)).toBe(400);
  });

  it('goes back no further than it stands: the rest is owed', async () => {
    const { dataSource } = database;
    const accountId = newId();
    await grantCredit(dataSource.manager, {
      accountId,
      currency,
      amountMinor: 50,
      at,
      cause: cause(),
      source: 'grant',
      expiresAt: new Date('2026-06-01T00:00:00Z'),
    });
    await creditPayment(dataSource.manager, { accountId, currency, amountMinor: 30, at, cause: cause() });
    const refund = { accountId, currency, amountMinor: 40, at, cause: cause() };
    await runInTransaction(dataSource, (manager) => takeBackPayment(manager, refund));
    expect(await creditBalanceMinor(dataSource.manager, accountId, currency)).toBe(50);
    const owed = await ledgerBalance(dataSource.manager, 'receivable', currency, { customerId: accountId });
    expect(owed).toBe(10n);
  });
});
