import { BillingError, grantCredit, invoices, redeemPromotionCode } from '#libs/billing';
import { runInTransaction } from '#libs/database';
import { newId } from '#libs/kernel';
import { PaymentError } from '#libs/payments';
import { refundInvoice } from '../../../libs/workflows/refunds.ts';
import { CODE_MINOR, DAY } from './market.ts';
import type { MoneyAct } from './plan.ts';
import type { Customer, MoneyRecord } from './record.ts';
import { DECLINED_LATER, enterCard, GOOD, patiently, payIn, type YearWorld } from './world.ts';

interface Turn {
  readonly world: YearWorld;
  readonly record: MoneyRecord;
  readonly customer: Customer;
  readonly chance: number;
  readonly code: string;
  readonly at: Date;
}

const pick = <T>(list: readonly T[], chance: number): T | undefined => list[Math.floor(chance * list.length)];

/** What customers, banks and operators do. What is refused does not happen. */
const ACTS: Readonly<Record<MoneyAct['what'], (turn: Turn) => Promise<unknown>>> = {
  goodCard: async ({ world, customer }) => {
    if (['no_card', 'terms', 'prepaid', 'disputing_card', 'declined_later'].includes(customer.kind)) return;
    await enterCard(world, customer, GOOD);
  },
  badCard: async ({ world, customer }) => {
    if (customer.kind === 'replaced_card') await enterCard(world, customer, DECLINED_LATER);
  },
  topUp: async ({ world, record, customer, chance }) => {
    record.topUps += 1;
    await payIn(world, customer, 50 + Math.floor(chance * 9000));
  },
  redeem: async ({ world, record, customer: { accountId }, code, at }) => {
    const redemption = { accountId, code, currency: 'eur', at };
    await runInTransaction(world.dataSource, (m) => redeemPromotionCode(m, redemption));
    record.give(accountId, CODE_MINOR);
  },
  grant: async ({ world, record, customer: { accountId }, chance, at }) => {
    const amountMinor = 1 + Math.floor(chance * 3000);
    const cause = { kind: 'grant', id: String(newId()) };
    const expires = chance > 0.5 ? { expiresAt: new Date(at.getTime() + 20 * DAY) } : {};
    const given = {
      accountId,
      currency: 'eur',
      amountMinor,
      cause,
      source: 'grant' as const,
      at,
      ...expires,
    };
    await runInTransaction(world.dataSource, (m) => grantCredit(m, given));
    record.give(accountId, amountMinor);
  },
  refund: async ({ world, record, customer: { accountId }, chance, at }) => {
    const invoice = pick(await invoices(world.dataSource.manager, { accountId, limit: 50 }), chance);
    if (!invoice || invoice.totalMinor === 0) return;
    const isWhole = (chance * 31) % 1 > 0.7;
    const amountMinor = isWhole
      ? invoice.totalMinor
      : Math.ceil((invoice.totalMinor * ((chance * 7919) % 1)) / 2) || 1;
    const refundTo = (chance * 101) % 1 > 0.4 ? 'card' : 'credit';
    const asked = { invoiceId: invoice.id, requestId: `request ${newId()}`, reason: 'Sorry', at } as const;
    const request = { ...asked, amountMinor, refundTo } as const;
    await runInTransaction(world.dataSource, (m) => refundInvoice(m, world.money.store, request));
    record.note(accountId, amountMinor);
  },
  refundByHand: async ({ world, customer, chance }) => {
    const paymentId = pick(await paymentsOf(world, customer), chance);
    if (!paymentId) return;
    const refund = {
      amountMinor: 1 + Math.floor(chance * 200),
      reason: 'duplicate',
      reference: 'by hand',
    } as const;
    const key = idempotencyKey();
    await patiently(() => world.payments.provider.money.refund({ ...refund, paymentId, ...key }));
  },
  failRefund: async ({ world, record, customer, chance }) => {
    const customerId = await world.payments.cards.customerOf(customer.accountId);
    const all = world.payments.emulator.ledger().refunds.filter(({ status }) => status === 'succeeded');
    const own = all.filter((refund) => refund.customerId === customerId);
    const refund = pick(own.length > 0 ? own : all, chance);
    if (!refund) return;
    world.payments.emulator.failRefund(refund.id);
    record.failedRefunds += 1;
  },
  failPayout: async ({ world, record, chance }) => {
    const { payouts } = world.payments.emulator.ledger();
    const payout = pick(
      payouts.filter(({ status }) => status !== 'failed'),
      chance,
    );
    if (!payout) return;
    world.payments.emulator.failPayout(payout.id);
    record.failedPayouts += 1;
  },
  dispute: async ({ world, record, customer, chance }) => {
    const payment = pick(await paymentsOf(world, customer), chance);
    if (!payment) return;
    record.openDisputes.push(world.payments.emulator.dispute({ payment }));
    record.disputes += 1;
  },
  decideDispute: async ({ world, record, chance }) => {
    const dispute = record.openDisputes.shift();
    if (dispute) world.payments.emulator.closeDispute(dispute, chance > 0.5 ? 'won' : 'lost');
  },
  payElsewhere: async ({ world, customer, chance }) => {
    const invoiceId = pick(await askedOf(world, customer), chance);
    if (!invoiceId) return;
    const key = idempotencyKey();
    await patiently(() => world.payments.provider.invoices.settleElsewhere({ invoiceId, ...key }));
  },
  payByHand: async ({ world, customer, chance }) => {
    const invoiceId = pick(await askedOf(world, customer), chance);
    if (invoiceId) await world.payments.provider.invoices.pay({ invoiceId, ...idempotencyKey() });
  },
  voidByHand: async ({ world, customer, chance }) => {
    const invoiceId = pick(await askedOf(world, customer), chance);
    if (invoiceId) await world.payments.provider.invoices.void({ invoiceId, ...idempotencyKey() });
  },
  writeOffByHand: async ({ world, customer, chance }) => {
    const invoiceId = pick(await askedOf(world, customer), chance);
    if (invoiceId) await world.payments.provider.invoices.writeOff({ invoiceId, ...idempotencyKey() });
  },
};

/** @throws what nobody has refused */
export async function act(turn: Turn, what: MoneyAct['what']): Promise<void> {
  try {
    await ACTS[what](turn);
  } catch (error) {
    if (!isRefusal(error)) throw error;
  }
}

function isRefusal(error: unknown): boolean {
  if (error instanceof PaymentError || error instanceof BillingError) return true;
  return (
    error instanceof Error && (error.name === 'StripeProblem' || /disput|fetch failed/i.test(error.message))
  );
}

const idempotencyKey = () => ({ idempotencyKey: `by hand ${newId()}` });

/** The invoices at the provider that ask the customer for money, or have asked. */
async function askedOf({ dataSource }: YearWorld, { accountId }: Customer): Promise<string[]> {
  const rows = await dataSource.query<{ id: string }[]>(
    `SELECT provider_id AS id FROM collections
     WHERE account_id = $1 AND provider_id IS NOT NULL AND status IN ('open', 'uncollectible')
     ORDER BY requested_at, round`,
    [accountId],
  );
  return rows.map(({ id }) => id);
}

async function paymentsOf({ payments }: YearWorld, { accountId }: Customer): Promise<string[]> {
  const customerId = await payments.cards.customerOf(accountId);
  return payments.emulator
    .ledger()
    .intents.filter((intent) => intent.customerId === customerId && intent.capturedMinor > 0)
    .map(({ holdId }) => holdId);
}
