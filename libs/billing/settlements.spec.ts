import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newId } from '#libs/kernel';
import {
  billsCustomers,
  cause,
  currency,
  customerWithServer,
  database,
  expectSound,
  invoiced,
  june,
  june2,
  may,
  within,
} from './billed-customers.fixture.ts';
import { recordRefunded } from './collected.ts';
import { creditBalanceMinor, creditPayment } from './credit.ts';
import { expireCredit } from './credit-expiry.ts';
import { creditNotes, issueCreditNote } from './credit-notes.ts';
import { closeDispute, openDispute } from './disputes.ts';
import { invoice } from './invoices.ts';
import { ledgerBalance } from './ledger.ts';
import { createPromotionCode, redeemPromotionCode } from './promotions.ts';
import { payWithCredit, recordPayment, writeOff } from './settlements.ts';
import { setBillingProfile, setTaxRate } from './tax.ts';

billsCustomers();

async function balances(accountId: number): Promise<Record<string, number>> {
  const { manager } = database.dataSource;
  const names = ['receivable', 'customer_credit', 'refunds_payable', 'disputed'] as const;
  const pairs = names.map(async (name) => [
    name,
    Number(await ledgerBalance(manager, name, currency, { customerId: accountId })),
  ]);
  return Object.fromEntries((await Promise.all(pairs)).filter(([, amount]) => amount !== 0));
}

describe('paying', () => {
  it('is counted once per cause, however often and at once it is told; what is beyond becomes credit', async () => {
    const { accountId } = await customerWithServer();
    const invoiceId = await invoiced(accountId);
    const paid = { invoiceId, amountMinor: 1300, cause: cause(), at: june2 };
    const told = await Promise.all(Array.from({ length: 10 }, () => within((m) => recordPayment(m, paid))));
    expect(told.filter(Boolean)).toHaveLength(1);
    expect(await balances(accountId)).toEqual({ customer_credit: -200 });
    await expectSound();
  });

  it('can be done with credit that came later, and only with what there is', async () => {
    const { accountId } = await customerWithServer();
    const invoiceId = await invoiced(accountId);
    const pay = () => within((m) => payWithCredit(m, { invoiceId, at: june2 }));
    const top = (amountMinor: number) =>
      within((m) => creditPayment(m, { accountId, currency, amountMinor, cause: cause(), at: june2 }));
    expect(await pay()).toBe(0);
    await top(400);
    const told = await Promise.all([pay(), pay(), pay()]);
    expect(told.sort()).toEqual([0, 0, 400]);
    await top(1000);
    expect(await pay()).toBe(700);
    expect(await balances(accountId)).toEqual({ customer_credit: -300 });
    await expectSound();
  });

  it('can be disputed: frozen, then ours again or owed again, and given up at last', async () => {
    for (const won of [true, false]) {
      const { accountId } = await customerWithServer();
      const invoiceId = await invoiced(accountId);
      const money = (amountMinor: number) => ({ invoiceId, amountMinor, cause: cause(), at: june2 });
      await within((m) => recordPayment(m, money(1100)));
      const disputed = () => ({ ...money(1100), accountId, currency });
      await within((m) => openDispute(m, disputed()));
      expect(await balances(accountId)).toEqual({ disputed: 1100 });
      await within((m) => closeDispute(m, { ...disputed(), won, invoiceIds: [invoiceId] }));
      expect(await balances(accountId)).toEqual(won ? {} : { receivable: 1100 });
      expect(await within((m) => writeOff(m, { invoiceId, at: june2 }))).toBe(won ? 0 : 1100);
      expect(await balances(accountId)).toEqual({});
    }
    await expectSound();
  });

  it('that was given up and is paid after all takes the giving up back, and no more', async () => {
    const { accountId } = await customerWithServer();
    const invoiceId = await invoiced(accountId);
    const money = (amountMinor: number) => ({ invoiceId, amountMinor, cause: cause(), at: june2 });
    await within((m) => recordPayment(m, money(100)));
    expect(await within((m) => writeOff(m, { invoiceId, at: june2 }))).toBe(1000);
    const payment = money(1030);
    expect(await within((m) => recordPayment(m, payment))).toBe(true);
    expect(await within((m) => recordPayment(m, payment))).toBe(false);
    expect(await balances(accountId)).toEqual({ customer_credit: -30 });
    expect(await within((m) => writeOff(m, { invoiceId, at: june2 }))).toBe(0);
    await expectSound();
  });

  it('of which a payment beyond it is disputed and lost is owed again, and the credit is gone', async () => {
    const { accountId } = await customerWithServer();
    const invoiceId = await invoiced(accountId);
    const money = (amountMinor: number) => ({ invoiceId, amountMinor, cause: cause(), at: june2 });
    await within((m) => recordPayment(m, money(1300)));
    const disputed = () => ({ ...money(1300), accountId, currency });
    await within((m) => openDispute(m, disputed()));
    const ended = { ...disputed(), won: false, invoiceIds: [invoiceId] };
    expect(await within((m) => closeDispute(m, ended))).toBe(true);
    expect(await within((m) => closeDispute(m, ended))).toBe(false);
    expect(await balances(accountId)).toEqual({ receivable: 1100 });
    await expectSound();
  });
});

describe('a credit note', () => {
  it('takes back revenue and tax in shares that add up to the invoice, however it is divided', async () => {
    const { manager } = database.dataSource;
    const effectiveFrom = new Date(0);
    await setTaxRate(manager, { country: 'AT', basisPoints: 1999, effectiveFrom });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: 1320 }),
        fc.constantFrom('card' as const, 'credit' as const),
        async (parts, paidMinor, refundTo) => {
          const { accountId } = await customerWithServer();
          await setBillingProfile(manager, accountId, {
            name: 'A',
            address: 'B',
            country: 'AT',
            vatId: null,
          });
          const invoiceId = await invoiced(accountId);
          const money = (amountMinor: number) => ({ invoiceId, amountMinor, cause: cause(), at: june2 });
          if (paidMinor > 0) await within((m) => recordPayment(m, money(paidMinor)));
          let left = 1320;
          for (const part of [...parts, 1320]) {
            const amountMinor = Math.min(part, left);
            if (amountMinor === 0) break;
            const request = { ...money(amountMinor), requestId: String(newId()), refundTo, reason: 'a wish' };
            const note = await within((m) => issueCreditNote(m, request));
            expect(await within((m) => issueCreditNote(m, request))).toEqual(note);
            left -= amountMinor;
          }
          const more = { ...money(1), requestId: String(newId()), refundTo, reason: 'too much' };
          await expect(within((m) => issueCreditNote(m, more))).rejects.toMatchObject({
            code: 'refund_exceeds_invoice',
          });
          const notes = await creditNotes(manager, { invoiceId });
          const taxBack = notes.reduce((sum, { taxMinor }) => sum + taxMinor, 0);
          expect(taxBack).toBe((await invoice(manager, invoiceId)).taxMinor);
          const back = refundTo === 'card' ? 'refunds_payable' : 'customer_credit';
          expect(await balances(accountId)).toEqual(paidMinor > 0 ? { [back]: -paidMinor } : {});
          if (refundTo === 'credit' || paidMinor === 0) return;
          const sent = { paymentId: `pi_${invoiceId}`, refundedMinor: paidMinor, of: 'invoices' } as const;
          await within((m) => recordRefunded(m, { ...sent, accountId, currency, at: june }));
          expect(await balances(accountId)).toEqual({});
        },
      ),
      { numRuns: 20 },
    );
    await expectSound();
  });
});

describe('a promotion code', () => {
  it('is redeemed once by an account, and by so many accounts as it is for', async () => {
    const { dataSource } = database;
    const accounts = Array.from({ length: 4 }, newId);
    const promotion = { code: 'HELLO-26', amountMinor: 1000, currency, note: 'Welcome', validDays: 30 };
    await createPromotionCode(dataSource.manager, { ...promotion, redemptions: 3, redeemUntil: june });
    const redeem = (accountId: number, at = may(5)) =>
      within((m) => redeemPromotionCode(m, { accountId, code: ' hello-26', currency, at })).catch(
        (error: { code: string }) => error.code,
      );
    expect(await redeem(accounts[0] ?? 0, june)).toBe('promotion_code_expired');
    const told = await Promise.all([...accounts, ...accounts].map((accountId) => redeem(accountId)));
    expect(told.filter((result) => result === 1000)).toHaveLength(3);
    const [account = 0] = accounts.filter((_, index) => told[index] === 1000 || told[index + 4] === 1000);
    expect(await redeem(account)).toBe('promotion_code_used');
    expect(await creditBalanceMinor(dataSource.manager, account, currency)).toBe(1000);
    expect(await expireCredit(dataSource, new Date('2026-06-05T00:00:00Z'))).toBeGreaterThanOrEqual(3);
    expect(await creditBalanceMinor(dataSource.manager, account, currency)).toBe(0);
    await expectSound();
  });
});
