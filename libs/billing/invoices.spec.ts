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
import { closeAccount } from './close-account.ts';
import { creditBalanceMinor, creditPayment, grantCredit } from './credit.ts';
import { expireCredit } from './credit-expiry.ts';
import { formatNumber } from './document-number.ts';
import { invoice, invoiceLines, invoices } from './invoices.ts';
import { ledgerBalance } from './ledger.ts';
import { stopServer } from './server-usage.ts';
import { changeBillingSettings } from './settings.ts';
import { setBillingProfile, setTaxRate } from './tax.ts';
import { parseVatId } from './vat-id.ts';

billsCustomers();

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
