import type Stripe from 'stripe';
import { PaymentError } from '../payments.errors.ts';
import type { Keyed } from '../port-common.ts';
import type {
  BalanceChange,
  ChangeBalance,
  Dispute,
  MoneyProvider,
  OpenPayment,
  OpenTopUp,
  Payment,
  ProviderCustomer,
  Refund,
  RefundPayment,
  TopUp,
} from '../port-money.ts';
import { createdSince, keyed, type StripeCaller } from './caller.ts';
import { isCardError, isMissing, isRefused, isUnexpectedState } from './errors.ts';
import { ACCOUNT_KEY, idOf, REFERENCE_KEY } from './mapping.ts';
import { balanceChangeOf, disputeOf, paymentOf, refundOf, topUpOf } from './money-mapping.ts';

const WITH_CHARGE = { expand: ['latest_charge'] };
const LIST_WITH_CHARGE = { expand: ['data.latest_charge'] };
const WITH_PAYMENT = { expand: ['payment_intent'] };

/** Stripe's payments, refunds, disputes, balances and portal behind the port. */
export class StripeMoney implements MoneyProvider {
  readonly #caller: StripeCaller;

  constructor(caller: StripeCaller) {
    this.#caller = caller;
  }

  openTopUp(request: OpenTopUp): Promise<TopUp> {
    const { amountMinor, currency, description } = request;
    const metadata = ours(request);
    return this.#caller.call(async (stripe) =>
      topUpOf(
        await stripe.checkout.sessions.create(
          {
            mode: 'payment',
            customer: request.customerId,
            line_items: [
              {
                price_data: { currency, unit_amount: amountMinor, product_data: { name: description } },
                quantity: 1,
              },
            ],
            payment_intent_data: {
              description,
              metadata,
              ...(request.savesCard ? { setup_future_usage: 'off_session' } : {}),
            },
            success_url: request.successUrl.replaceAll('{TOP_UP_ID}', '{CHECKOUT_SESSION_ID}'),
            cancel_url: request.cancelUrl,
            client_reference_id: String(request.accountId),
            metadata,
            ...WITH_PAYMENT,
          },
          keyed(request),
        ),
      ),
    );
  }

  fetchTopUp(topUpId: string): Promise<TopUp> {
    return this.#caller.call(async (stripe) =>
      topUpOf(await stripe.checkout.sessions.retrieve(topUpId, WITH_PAYMENT)),
    );
  }

  cancelTopUp(request: { topUpId: string } & Keyed): Promise<TopUp> {
    return this.#caller.call(async (stripe) => {
      try {
        return topUpOf(await stripe.checkout.sessions.expire(request.topUpId, WITH_PAYMENT, keyed(request)));
      } catch (error) {
        if (!isRefused(error) || isMissing(error)) throw error;
        return this.fetchTopUp(request.topUpId);
      }
    });
  }

  findTopUp({
    customerId,
    reference,
  }: {
    customerId: string;
    reference: string;
  }): Promise<TopUp | undefined> {
    return this.#caller.first(
      (stripe, cursor) =>
        stripe.checkout.sessions.list({ customer: customerId, expand: ['data.payment_intent'], ...cursor }),
      (session) => session.mode === 'payment' && session.metadata?.[REFERENCE_KEY] === reference,
      topUpOf,
    );
  }

  openPayment(request: OpenPayment): Promise<Payment> {
    return this.#caller.call(async (stripe) =>
      paymentOf(
        await stripe.paymentIntents.create(
          {
            amount: request.amountMinor,
            currency: request.currency,
            customer: request.customerId,
            payment_method: request.cardId,
            description: request.description,
            metadata: ours(request),
          },
          keyed(request),
        ),
      ),
    );
  }

  confirmPayment(request: { paymentId: string } & Keyed): Promise<Payment> {
    return this.#settle(request.paymentId, (stripe) =>
      stripe.paymentIntents.confirm(request.paymentId, { off_session: true, ...WITH_CHARGE }, keyed(request)),
    );
  }

  cancelPayment(request: { paymentId: string } & Keyed): Promise<Payment> {
    return this.#settle(request.paymentId, (stripe) =>
      stripe.paymentIntents.cancel(request.paymentId, WITH_CHARGE, keyed(request)),
    );
  }

  fetchPayment(paymentId: string): Promise<Payment> {
    return this.#caller.find('payment_not_found', paymentId, async (stripe) => {
      const intent = await stripe.paymentIntents.retrieve(paymentId, WITH_CHARGE);
      if (intent.metadata[ACCOUNT_KEY]) return paymentOf(intent);
      const payment = { type: 'payment_intent', payment_intent: paymentId } as const;
      const { data } = await stripe.invoicePayments.list({ payment, limit: 1 });
      return paymentOf(intent, idOf(data[0]?.invoice));
    });
  }

  findPayment({
    customerId,
    reference,
  }: {
    customerId: string;
    reference: string;
  }): Promise<Payment | undefined> {
    return this.#caller.first(
      (stripe, cursor) =>
        stripe.paymentIntents.list({ customer: customerId, ...cursor, ...LIST_WITH_CHARGE }),
      (intent) => intent.metadata[REFERENCE_KEY] === reference,
      (intent) => paymentOf(intent),
    );
  }

  listPayments(since: Date): AsyncIterable<Payment> {
    return this.#caller.each(
      (stripe, cursor) =>
        stripe.paymentIntents.list({ ...createdSince(since), ...cursor, ...LIST_WITH_CHARGE }),
      (intent) => paymentOf(intent),
    );
  }

  refund(request: RefundPayment): Promise<Refund> {
    const { paymentId, amountMinor, reason, reference } = request;
    return this.#caller.find('payment_not_found', paymentId, async (stripe) => {
      try {
        const asked = { payment_intent: paymentId, amount: amountMinor, reason };
        const metadata = { [REFERENCE_KEY]: reference };
        return refundOf(await stripe.refunds.create({ ...asked, metadata }, keyed(request)));
      } catch (error) {
        const isTooMuch = isRefused(error) && TOO_MUCH.includes(error.code ?? '');
        if (!isTooMuch) throw error;
        const message = `Less than ${amountMinor} is left of payment ${paymentId}.`;
        throw new PaymentError('refund_too_large', message, { cause: error });
      }
    });
  }

  fetchRefund(refundId: string): Promise<Refund> {
    return this.#caller.find('refund_not_found', refundId, async (stripe) =>
      refundOf(await stripe.refunds.retrieve(refundId)),
    );
  }

  findRefund({
    paymentId,
    reference,
  }: {
    paymentId: string;
    reference: string;
  }): Promise<Refund | undefined> {
    return this.#caller.first(
      (stripe, cursor) => stripe.refunds.list({ payment_intent: paymentId, ...cursor }),
      (refund) => refund.metadata?.[REFERENCE_KEY] === reference,
      refundOf,
    );
  }

  listRefunds(since: Date): AsyncIterable<Refund> {
    return this.#caller.each(
      (stripe, cursor) => stripe.refunds.list({ ...createdSince(since), ...cursor }),
      refundOf,
    );
  }

  fetchDispute(disputeId: string): Promise<Dispute> {
    return this.#caller.find('dispute_not_found', disputeId, async (stripe) =>
      disputeOf(await stripe.disputes.retrieve(disputeId)),
    );
  }

  acceptDispute(request: { disputeId: string } & Keyed): Promise<Dispute> {
    return this.#caller.find('dispute_not_found', request.disputeId, async (stripe) => {
      try {
        return disputeOf(await stripe.disputes.close(request.disputeId, {}, keyed(request)));
      } catch (error) {
        if (!isRefused(error) || isMissing(error)) throw error;
        return this.fetchDispute(request.disputeId);
      }
    });
  }

  listDisputes(since: Date): AsyncIterable<Dispute> {
    return this.#caller.each(
      (stripe, cursor) => stripe.disputes.list({ ...createdSince(since), ...cursor }),
      disputeOf,
    );
  }

  changeBalance(request: ChangeBalance): Promise<BalanceChange> {
    const { customerId, amountMinor: amount, currency, description } = request;
    return this.#caller.call(async (stripe) =>
      balanceChangeOf(
        await stripe.customers.createBalanceTransaction(
          customerId,
          { amount, currency, description, metadata: ours(request) },
          keyed(request),
        ),
      ),
    );
  }

  findBalanceChange(request: { customerId: string; reference: string }): Promise<BalanceChange | undefined> {
    return this.#caller.first(
      (stripe, cursor) => stripe.customers.listBalanceTransactions(request.customerId, cursor),
      (change) => change.metadata?.[REFERENCE_KEY] === request.reference,
      balanceChangeOf,
    );
  }

  fetchCustomer(customerId: string): Promise<ProviderCustomer> {
    return this.#caller.call(async (stripe) => {
      const customer = await stripe.customers.retrieve(customerId);
      if (customer.deleted) return { customerId, isDeleted: true, balanceMinor: 0, defaultCardId: undefined };
      const defaultCardId = idOf(customer.invoice_settings.default_payment_method);
      return { customerId, isDeleted: false, balanceMinor: customer.balance, defaultCardId };
    });
  }

  deleteCustomer(request: { customerId: string } & Keyed): Promise<void> {
    return this.#caller.call(async (stripe) => {
      try {
        await stripe.customers.del(request.customerId, {}, keyed(request));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    });
  }

  openPortal(request: { customerId: string; returnUrl: string } & Keyed): Promise<{ url: string }> {
    const asked = { customer: request.customerId, return_url: request.returnUrl };
    return this.#caller.call(async (stripe) => {
      const { url } = await stripe.billingPortal.sessions.create(asked, keyed(request));
      return { url };
    });
  }

  /** A call that moves a payment. A decline, and a payment that had moved already, are answered by what is true now. */
  #settle(paymentId: string, call: (stripe: Stripe) => Promise<Stripe.PaymentIntent>): Promise<Payment> {
    return this.#caller.find('payment_not_found', paymentId, async (stripe) => {
      try {
        return paymentOf(await call(stripe));
      } catch (error) {
        if (isCardError(error) || isUnexpectedState(error)) return this.fetchPayment(paymentId);
        throw error;
      }
    });
  }
}

const TOO_MUCH = ['amount_too_large', 'charge_already_refunded'];

function ours(request: { accountId: number; reference: string }): Stripe.MetadataParam {
  return { [ACCOUNT_KEY]: String(request.accountId), [REFERENCE_KEY]: request.reference };
}
