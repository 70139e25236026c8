import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { testDatabase } from '../../test/support/test-database.ts';
import { ensureBooks, setTier } from './billing-accounts.ts';
import { toDate } from './calendar.ts';
import { checkBooks } from './check-books.ts';
import { closeAccount } from './close-account.ts';
import { recordRefunded } from './collected.ts';
import { creditBalanceMinor, creditPayment, grantCredit } from './credit.ts';
import { expireCredit } from './credit-expiry.ts';
import { creditNotes, issueCreditNote } from './credit-notes.ts';
import { closeDispute, openDispute } from './disputes.ts';
import { formatNumber } from './document-number.ts';
import { invoice, invoiceLines, invoices } from './invoices.ts';
import { type Cause, ledgerBalance } from './ledger.ts';
import { closeAboveThreshold, openAmountMinor } from './open-usage.ts';
import { changePrice, firstPrice } from './price-book.ts';
import { createPromotionCode, redeemPromotionCode } from './promotions.ts';
import { closeServer, openServer, reimageServer, resizeServer, stopServer } from './server-usage.ts';
import { changeBillingSettings } from './settings.ts';
import { payWithCredit, recordPayment, writeOff } from './settlements.ts';
import { setBillingProfile, setTaxRate } from './tax.ts';
import { parseVatId } from './vat-id.ts';

const database = testDatabase();
const currency = 'eur';
const may = (day: number, time = '00:00:00') => new Date(`2026-05-${String(day).padStart(2, '0')}T${time}Z`);
const june = new Date('2026-06-01T00:00:00Z');
const june2 = new Date('2026-06-02T00:00:00Z');
const cause = (): Cause => ({ kind: 'test', id: String(newId()) });

function within<T>(work: Parameters<typeof runInTransaction<T>>[1]): Promise<T> {
  return runInTransaction(database.dataSource, work);
}

/** A customer with a server of 10.00 an hour for CPU and RAM, 1.00 for its disk, since a moment of May. */
async function customerWithServer(since = may(1)): Promise<{ accountId: number; serverId: number }> {
  const { manager } = database.dataSource;
  await firstPrice(manager, { item: 'compute/big', title: 'big: CPU and RAM', hourlyMicro: 1_000_000_000 });
  await firstPrice(manager, { item: 'disk/big', title: 'big: disk', hourlyMicro: 100_000_000 });
  const accountId = newId();
  const serverId = newId();
  const names = { serverName: 'web-1', serverTypeName: 'big', imageName: 'none' };
  await within((m) =>
    openServer(m, { accountId, projectId: 1, serverId, currency, isRunning: true, ...names }, since),
  );
  return { accountId, serverId };
}

/** One hour of it: 1,100 minor units net. */
async function invoiced(accountId: number): Promise<number> {
  const closing = { until: may(1, '01:00:00'), now: june2, reason: 'manual' as const };
  const [issued] = await closeAccount(database.dataSource, accountId, closing);
  return issued?.invoiceId ?? 0;
}

async function balances(accountId: number): Promise<Record<string, number>> {
  const { manager } = database.dataSource;
  const names = ['receivable', 'customer_credit', 'refunds_payable', 'disputed'] as const;
  const pairs = names.map(async (name) => [
    name,
    Number(await ledgerBalance(manager, name, currency, { customerId: accountId })),
  ]);
  return Object.fromEntries((await Promise.all(pairs)).filter(([, amount]) => amount !== 0));
}

async function expectSound(): Promise<void> {
  expect(await checkBooks(database.dataSource.manager)).toEqual([]);
}

describe('an invoice', () => {
  it('tells a person what was used: server, what of it, from, until, hours and price', async () => {
    const { accountId, serverId } = await customerWithServer(may(3, '10:00:00'));
    const { manager } = database.dataSource;
    await within((m) => stopServer(m, serverId, may(3, '12:30:00')));
    const until = may(3, '20:00:00');
    const [issued] = await closeAccount(database.dataSource, accountId, {
      until,
      now: june2,
      reason: 'manual',
    });
    const lines = await invoiceLines(manager, issued?.invoiceId ?? 0, { limit: 10 });
    const web1 = { serverName: 'web-1', serverId, usedFrom: may(3, '10:00:00') };
    expect(lines).toMatchObject([
      { ...web1, title: 'big: CPU and RAM', usedUntil: may(3, '12:30:00'), seconds: 9000, amountMinor: 2500 },
      {
        ...web1,
        title: 'big: disk',
        usedUntil: until,
        seconds: 36_000,
        billedSeconds: 36_000,
        amountMinor: 1000,
      },
    ]);
    expect(await invoice(manager, issued?.invoiceId ?? 0, accountId)).toMatchObject({
      netMinor: 3500,
      taxMinor: 0,
      openMinor: 3500,
      periodUntil: until,
      taxTreatment: 'none',
    });
    await expect(invoice(manager, issued?.invoiceId ?? 0, newId())).rejects.toMatchObject({
      code: 'invoice_not_found',
    });
    expect(await invoices(manager, { accountId, open: true, limit: 5 })).toHaveLength(1);
    expect(await invoices(manager, { accountId, open: false, limit: 5 })).toEqual([]);
    await expectSound();
  });

  it('carries the tax of its period, though the rate has changed by the day on which it is issued', async () => {
    const { manager } = database.dataSource;
    await setTaxRate(manager, { country: 'NL', basisPoints: 2100, effectiveFrom: may(1) });
    await setTaxRate(manager, { country: 'NL', basisPoints: 1000, effectiveFrom: june });
    const { accountId } = await customerWithServer(new Date('2026-05-31T23:00:00Z'));
    await setBillingProfile(manager, accountId, { name: 'A', address: 'B', country: 'NL', vatId: null });
    const closing = { until: new Date('2026-06-01T01:00:00Z'), now: june2, reason: 'manual' as const };
    await closeAccount(database.dataSource, accountId, closing);
    const issued = await invoices(manager, { accountId, limit: 5 });
    expect(issued.map(({ netMinor, taxMinor }) => [netMinor, taxMinor])).toEqual([
      [1100, 110],
      [1100, 231],
    ]);
  });

  it('is numbered without gaps, though some closings fail', async () => {
    const numbers: number[] = [];
    await changeBillingSettings(database.dataSource.manager, { invoiceSeries: 'GAP-' });
    for (let attempt = 0; attempt < 4; attempt += 1) {
      const { accountId } = await customerWithServer();
      const broken = attempt % 2 === 1;
      if (broken) {
        await database.dataSource.query(
          `ALTER TABLE billing_accounts ADD CONSTRAINT broken CHECK (account_id <> ${accountId} OR billed_until < '2026-05-01T00:30Z')`,
        );
        await expect(invoiced(accountId)).rejects.toThrow('broken');
        await database.dataSource.query('ALTER TABLE billing_accounts DROP CONSTRAINT broken');
      }
      const made = await invoice(database.dataSource.manager, await invoiced(accountId));
      expect(formatNumber(made)).toBe(`GAP-00000${attempt + 1}`);
      numbers.push(made.number);
    }
    expect(numbers).toEqual([1, 2, 3, 4]);
    await changeBillingSettings(database.dataSource.manager, { invoiceSeries: 'INV-' });
    await expectSound();
  });

  it('uses credit first: what expires soonest, then what was given, then what was paid', async () => {
    const { accountId } = await customerWithServer();
    const base = { accountId, currency, at: may(1) };
    const { manager } = database.dataSource;
    await creditPayment(manager, { ...base, amountMinor: 500, cause: cause() });
    await grantCredit(manager, { ...base, source: 'grant', amountMinor: 300, cause: cause() });
    const soon = { source: 'promotion' as const, expiresAt: new Date('2026-07-01T00:00:00Z') };
    await grantCredit(manager, { ...base, ...soon, amountMinor: 400, cause: cause() });
    const gone = { source: 'promotion' as const, expiresAt: may(20) };
    await grantCredit(manager, { ...base, ...gone, amountMinor: 50, cause: cause() });
    expect(await invoice(manager, await invoiced(accountId))).toMatchObject({
      totalMinor: 1100,
      openMinor: 0,
    });
    const left = await manager.query(
      `SELECT l.source, l.amount_minor - coalesce(sum(u.amount_minor), 0)::int AS left FROM credit_lots l
       LEFT JOIN credit_uses u ON u.lot_id = l.id WHERE l.account_id = $1 AND (l.expires_at IS NULL OR l.expires_at > $2)
       GROUP BY l.id ORDER BY l.source`,
      [accountId, june],
    );
    expect(left).toEqual([
      { source: 'grant', left: 0 },
      { source: 'payment', left: 100 },
      { source: 'promotion', left: 0 },
    ]);
    expect(await creditBalanceMinor(manager, accountId, currency)).toBe(150);
    expect(await expireCredit(database.dataSource, june)).toBe(1);
    expect(await expireCredit(database.dataSource, june)).toBe(0);
    expect(await creditBalanceMinor(manager, accountId, currency)).toBe(100);
    await expectSound();
  });
});

describe('the lines of an account', () => {
  const secondsOf = async (accountId: number) =>
    database.dataSource.query(
      `SELECT to_char(i.period_from AT TIME ZONE 'UTC', 'MM') AS month, l.component, sum(l.seconds)::int AS seconds,
              count(*)::int AS lines
       FROM invoice_lines l JOIN invoices i ON i.id = l.invoice_id WHERE i.account_id = $1 GROUP BY 1, 2 ORDER BY 1, 2`,
      [accountId],
    );

  it('have the minute that is billed at least, also when it begins in one month and ends in the next', async () => {
    const { accountId, serverId } = await customerWithServer(may(31, '23:59:50'));
    await within((m) => closeServer(m, serverId, may(31, '23:59:55')));
    const closing = { until: new Date('2026-07-01T00:00:00Z'), now: new Date('2026-07-02T00:00:00Z') };
    await closeAccount(database.dataSource, accountId, { ...closing, reason: 'manual' });
    expect(await secondsOf(accountId)).toEqual([
      { month: '05', component: 'compute', seconds: 10, lines: 1 },
      { month: '05', component: 'disk', seconds: 10, lines: 1 },
      { month: '06', component: 'compute', seconds: 50, lines: 1 },
      { month: '06', component: 'disk', seconds: 50, lines: 1 },
    ]);
    await expectSound();
  });

  it('have each second once when a server is resized again and again within one', async () => {
    const { accountId, serverId } = await customerWithServer();
    const size = { serverTypeName: 'big', isRunning: true };
    for (let change = 0; change < 8; change += 1)
      await within((m) => resizeServer(m, serverId, size, may(1)));
    await invoiced(accountId);
    expect(await secondsOf(accountId)).toMatchObject([
      { component: 'compute', seconds: 3600, lines: 1 },
      { component: 'disk', seconds: 3600, lines: 1 },
    ]);
    await expectSound();
  });

  it('have the surcharge of each image that a server is of for as long as it is, and of one without a price none', async () => {
    const { manager } = database.dataSource;
    for (const item of ['image/shop', 'image/wiki'] as const)
      await firstPrice(manager, { item, title: item, hourlyMicro: 60_000_000 });
    const { accountId, serverId } = await customerWithServer();
    const changes = [
      ['shop', '00:20:00'],
      ['shop', '00:30:00'],
      ['wiki', '00:40:00'],
      ['none', '00:50:00'],
    ] as const;
    for (const [image, time] of changes) await within((m) => reimageServer(m, serverId, image, may(1, time)));
    const lines = await invoiceLines(manager, await invoiced(accountId), { limit: 9 });
    expect(
      lines
        .filter(({ component }) => component === 'image')
        .map(({ title, seconds, amountMinor }) => [title, seconds, amountMinor]),
    ).toEqual([
      ['image/shop', 1200, 20],
      ['image/wiki', 600, 10],
    ]);
    const spans = await manager.query<unknown[]>('SELECT FROM usage_spans WHERE server_id = $1', [serverId]);
    expect(spans).toHaveLength(4);
    await expectSound();
  });

  it('never pay out: grains that lean below zero when dearer time replaces billed time are evened out', async () => {
    const { dataSource } = database;
    // A price at which the last second of the capped month decides on the rounding.
    let hourlyMicro = 625_000;
    while ((672 * hourlyMicro) % 1_000_000 <= 500_000 || (672 * hourlyMicro) % 1_000_000 > 500_150)
      hourlyMicro += 1;
    for (const [name, price] of [
      ['grain', hourlyMicro],
      ['dearer', hourlyMicro + 1],
    ] as const) {
      await firstPrice(dataSource.manager, { item: `compute/${name}`, title: name, hourlyMicro: price });
      await firstPrice(dataSource.manager, { item: `disk/${name}`, title: name, hourlyMicro: 0 });
    }
    const [accountId, serverId] = [newId(), newId()];
    const names = { serverName: 'vm', serverTypeName: 'grain', imageName: 'none', currency, isRunning: true };
    await within((m) => openServer(m, { accountId, projectId: 1, serverId, ...names }, may(1)));
    const close = (until: Date) =>
      closeAccount(dataSource, accountId, { until, now: june2, reason: 'manual' });
    await close(may(29));
    const larger = { serverTypeName: 'dearer', isRunning: true };
    await within((m) => resizeServer(m, serverId, larger, may(29)));
    const [second] = await close(may(29, '00:00:01'));
    const lines = await invoiceLines(dataSource.manager, second?.invoiceId ?? 0, { limit: 9 });
    const billed = lines.filter(({ amountMinor, billedSeconds }) => amountMinor !== 0 || billedSeconds !== 0);
    expect(
      billed.map(({ title, billedSeconds, amountMinor }) => [title, billedSeconds, amountMinor]),
    ).toEqual([
      ['grain', -1, -1],
      ['dearer', 1, 0],
      ['Rounding', 0, 1],
    ]);
    expect(await invoice(dataSource.manager, second?.invoiceId ?? 0)).toMatchObject({
      totalMinor: 0,
      openMinor: 0,
    });
    await expectSound();
  });

  it('are all there when they are more than are read at a time', async () => {
    const { accountId } = await customerWithServer();
    await database.dataSource.query(
      `INSERT INTO usage_spans (id, account_id, project_id, server_id, server_name, price_item, opened_at, closed_at)
       SELECT n, $1, 1, n / 7, 'vm', 'compute/big', timestamptz '2026-05-01Z' + n % 7 * interval '9 minutes',
              timestamptz '2026-05-01Z' + n % 7 * interval '9 minutes' + interval '3 minutes'
       FROM generate_series(1, 4500) AS n`,
      [accountId],
    );
    await invoiced(accountId);
    expect(await secondsOf(accountId)).toMatchObject([
      { component: 'compute', seconds: 3600 + 4500 * 180, lines: 4501 },
      { component: 'disk', lines: 1 },
    ]);
    await expectSound();
  });
});

describe('tax', () => {
  const base = { name: 'A', address: 'Street 1' };
  it.each([
    { of: 'a consumer at home', country: 'DE', vatId: null, treatment: 'standard', taxMinor: 209 },
    { of: 'a business at home', country: 'DE', vatId: 'DE123456789', treatment: 'standard', taxMinor: 209 },
    { of: 'a consumer of another country', country: 'FR', vatId: null, treatment: 'standard', taxMinor: 220 },
    {
      of: 'a business of another country',
      country: 'FR',
      vatId: 'FR 12 345.678.901',
      treatment: 'reverse_charge',
      taxMinor: 0,
    },
    { of: 'somebody far away', country: 'US', vatId: null, treatment: 'none', taxMinor: 0 },
  ])('of $of is $treatment', async ({ country, vatId, treatment, taxMinor }) => {
    const { manager } = database.dataSource;
    await changeBillingSettings(manager, { seller: { name: 'Us', country: 'DE' } });
    for (const [rated, basisPoints] of [
      ['DE', 1900],
      ['FR', 2000],
    ] as const) {
      const rate = { country: rated, basisPoints, effectiveFrom: new Date(0) };
      await setTaxRate(manager, rate).catch((error) =>
        expect(error).toMatchObject({ code: 'tax_rate_taken' }),
      );
    }
    const { accountId } = await customerWithServer();
    await setBillingProfile(manager, accountId, { ...base, country, vatId });
    const before = await ledgerBalance(manager, 'tax', currency, { detail: country });
    const made = await invoice(manager, await invoiced(accountId));
    expect(made).toMatchObject({
      netMinor: 1100,
      taxMinor,
      totalMinor: 1100 + taxMinor,
      taxTreatment: treatment,
    });
    expect(made.customer).toMatchObject({ country, vatId: vatId?.replace(/[ .]/g, '') ?? null });
    expect(before - (await ledgerBalance(manager, 'tax', currency, { detail: country }))).toBe(
      BigInt(taxMinor),
    );
    await changeBillingSettings(manager, { seller: {} });
    await expectSound();
  });

  it('ids are checked by the form of their country', () => {
    expect(parseVatId('el 123456789', 'GR')).toBe('EL123456789');
    expect(parseVatId('CHE-123.456.789', 'CH')).toBe('CHE123456789');
    for (const [text, country] of [
      ['DE12345678', 'DE'],
      ['FR12345678901', 'DE'],
      ['', 'AT'],
      ['ATU1234567X', 'AT'],
      ["US'; DROP TABLE", 'US'],
    ] as const) {
      expect(() => parseVatId(text, country), text).toThrow('not a VAT id');
    }
  });
});

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

describe('open usage', () => {
  it('is invoiced before the month ends when it passes the threshold of its tier, and not before', async () => {
    const { dataSource } = database;
    const start = new Date('2026-07-01T00:00:00Z');
    const later = (hours: number) => toDate(start.getTime() / 1000 + hours * 3600);
    const { accountId } = await customerWithServer(start);
    const trusted = await customerWithServer(start);
    await setTier(dataSource.manager, trusted.accountId, 'trusted');
    await changeBillingSettings(dataSource.manager, {
      settleSeconds: 3600,
      thresholdMinor: { new: 2200, paid_once: 3000, trusted: 1_000_000 },
    });
    expect(await openAmountMinor(dataSource.manager, accountId, later(2))).toBe(2200);
    const mine = async (now: Date) => {
      await closeAboveThreshold(dataSource, now);
      return (await invoices(dataSource.manager, { accountId, limit: 9 })).map(({ netMinor }) => netMinor);
    };
    expect(await mine(later(3))).toEqual([]);
    expect(await mine(later(4))).toEqual([3300]);
    expect(await mine(later(4))).toEqual([3300]);
    expect(await invoices(dataSource.manager, { accountId: trusted.accountId, limit: 9 })).toEqual([]);
    await expectSound();
  });
});

describe('what is closed', () => {
  it('keeps its prices and its usage', async () => {
    const { accountId, serverId } = await customerWithServer(may(10));
    const { manager } = database.dataSource;
    await closeAccount(database.dataSource, accountId, { until: may(11), now: may(12), reason: 'manual' });
    const past = { item: 'compute/big' as const, hourlyMicro: 1, effectiveFrom: may(10), now: may(10) };
    await expect(changePrice(manager, past)).rejects.toMatchObject({ code: 'price_in_the_past' });
    await expect(
      manager.query(`UPDATE usage_spans SET closed_at = '2026-05-10T12:00Z' WHERE server_id = $1`, [
        serverId,
      ]),
    ).rejects.toThrow('falls into a period that is closed');
    await within((m) =>
      resizeServer(m, serverId, { serverTypeName: 'big', isRunning: true }, may(10, '05:00:00')),
    );
    const closed = await manager.query('SELECT DISTINCT closed_at FROM usage_spans WHERE server_id = $1', [
      serverId,
    ]);
    expect(closed).toEqual(expect.arrayContaining([{ closed_at: may(11) }]));
    await expectSound();
  });

  it('is not overlapped by other usage of the same place', async () => {
    const { serverId } = await customerWithServer(new Date('2027-01-01T00:00:00Z'));
    const twice = database.dataSource.query(
      `INSERT INTO usage_spans (id, account_id, project_id, server_id, server_name, price_item, opened_at, closed_at)
       SELECT id + 1, account_id, project_id, server_id, server_name, price_item, '2027-02-01Z', '2027-02-02Z'
       FROM usage_spans WHERE server_id = $1`,
      [serverId],
    );
    await expect(twice).rejects.toThrow('usage_spans_no_overlap');
  });

  it('is kept in one currency per account', async () => {
    const { accountId } = await customerWithServer(new Date('2027-01-01T00:00:00Z'));
    await ensureBooks(database.dataSource.manager, accountId, 'usd', june);
    const paid = { accountId, currency: 'usd', amountMinor: 5, at: june, cause: cause() };
    await expect(creditPayment(database.dataSource.manager, paid)).rejects.toMatchObject({
      code: 'currency_differs',
    });
  });
});
