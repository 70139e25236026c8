import { newId } from '#libs/kernel';
import type { Payment, ProviderInvoice, TopUp } from '../index.ts';
import type { PaymentsHarness } from './payments-harness.ts';

type Bench = Pick<PaymentsHarness, 'provider' | 'accountWithCard' | 'cards'>;
interface Owner {
  readonly accountId: number;
  readonly customerId: string;
  readonly cardId: string;
}

const key = () => `key ${newId()}`;

/** An account with its customer and card at the provider. */
async function customer(bench: Bench, number?: string): Promise<Owner> {
  const accountId = await bench.accountWithCard(number);
  return { accountId, ...(await bench.cards.chargeable(accountId)) };
}

/** An open invoice with one line. */
async function invoice(
  { provider }: Bench,
  customerId: string,
  amountMinor: number,
): Promise<ProviderInvoice> {
  const { invoiceId } = await provider.invoices.create({
    accountId: 1,
    customerId,
    currency: 'eur',
    reference: `invoice ${newId()}`,
    collection: { by: 'card' },
    idempotencyKey: key(),
  });
  await provider.invoices.addLine({
    invoiceId,
    customerId,
    amountMinor,
    currency: 'eur',
    description: 'Server',
    reference: 'line',
    from: new Date(0),
    to: new Date(3_600_000),
    idempotencyKey: key(),
  });
  return provider.invoices.finalize({ invoiceId, retries: false, idempotencyKey: key() });
}

/** A payment off-session, confirmed. */
async function payment({ provider }: Bench, owner: Owner, amountMinor: number): Promise<Payment> {
  const { accountId, customerId, cardId } = owner;
  const { paymentId } = await provider.money.openPayment({
    accountId,
    customerId,
    cardId,
    amountMinor,
    currency: 'eur',
    description: 'Recharge',
    reference: `payment ${newId()}`,
    idempotencyKey: key(),
  });
  return provider.money.confirmPayment({ paymentId, idempotencyKey: key() });
}

/** An open page to pay in. */
function topUp(
  { provider }: Bench,
  accountId: number,
  customerId: string,
  amountMinor: number,
): Promise<TopUp> {
  return provider.money.openTopUp({
    accountId,
    customerId,
    amountMinor,
    currency: 'eur',
    description: 'Credit',
    reference: `top-up ${newId()}`,
    successUrl: 'http://127.0.0.1:9/back',
    cancelUrl: 'http://127.0.0.1:9/back',
    savesCard: false,
    idempotencyKey: key(),
  });
}

/** Money on its way, for specs. */
export const collect = { customer, invoice, payment, topUp };
