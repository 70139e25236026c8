import { expect, it } from 'vitest';
import { ensureBooks, firstPrice, grantCredit, openServer, setPaying } from '#libs/billing';
import { newId } from '#libs/kernel';
import { declined, type PaymentsService } from '#libs/payments';
import { testDatabase } from '../../test/support/test-database.ts';
import { assertCanPay, needsHold } from './ability-to-pay.ts';

const database = testDatabase();
const start = new Date('2026-05-01T00:00:00Z');
const hours = (count: number) => new Date(start.getTime() + count * 3_600_000);
const cardless = {
  assertReadyToCharge: () => Promise.reject(declined('no_card')),
} as unknown as PaymentsService;

const canPay = (accountId: number, at: Date) =>
  database.dataSource.transaction((manager) => assertCanPay(manager, cardless, { accountId, at }));
const isHeld = (accountId: number, trusted = false) =>
  needsHold(database.dataSource.manager, { trusted }, accountId);

it('is asked of the card, unless the account has terms, or credit that usage has not eaten up', async () => {
  const accountId = newId();
  await expect(canPay(accountId, start)).rejects.toMatchObject({ code: 'no_card' });
  expect([await isHeld(accountId), await isHeld(accountId, true)]).toEqual([true, false]);
  const { manager } = database.dataSource;
  await ensureBooks(manager, accountId, 'eur', start);
  await setPaying(manager, accountId, { by: 'terms', days: 30 });
  await canPay(accountId, start);
  expect(await isHeld(accountId)).toBe(false);

  await setPaying(manager, accountId, { by: 'prepaid' });
  await expect(canPay(accountId, start)).rejects.toMatchObject({
    code: 'credit_exhausted',
    kind: 'payment_required',
  });
  const cause = { kind: 'test', id: String(accountId) };
  const given = { accountId, currency: 'eur', amountMinor: 300, cause, at: start };
  await database.dataSource.transaction((m) => grantCredit(m, { ...given, source: 'grant' }));
  await canPay(accountId, start);
  expect(await isHeld(accountId)).toBe(false);
  await firstPrice(manager, { item: 'compute/w', title: 'w', hourlyMicro: 90_000_000 });
  await firstPrice(manager, { item: 'disk/w', title: 'w: disk', hourlyMicro: 10_000_000 });
  const names = { serverName: 'vm', serverTypeName: 'w', imageName: 'none', currency: 'eur' };
  const server = { accountId, projectId: 1, serverId: newId(), isRunning: true, ...names };
  await database.dataSource.transaction((m) => openServer(m, server, start));
  await canPay(accountId, hours(2));
  await expect(canPay(accountId, hours(3))).rejects.toMatchObject({ code: 'credit_exhausted' });
});

it('is not asked for a day more or less than the operator may give', async () => {
  const accountId = newId();
  const { manager } = database.dataSource;
  await expect(setPaying(manager, accountId, { by: 'prepaid' })).rejects.toMatchObject({
    code: 'billing_account_not_found',
  });
  await ensureBooks(manager, accountId, 'eur', start);
  for (const days of [0, 366, 1.5]) {
    await expect(setPaying(manager, accountId, { by: 'terms', days })).rejects.toMatchObject({
      code: 'terms_malformed',
    });
  }
});
