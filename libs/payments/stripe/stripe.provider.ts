import Stripe from 'stripe';
import { PaymentError } from '../payments.errors.ts';
import type {
  AuthorizeHold,
  Card,
  CardSetup,
  CreateCustomer,
  Hold,
  OpenCardSetup,
  OpenHold,
  PaymentProvider,
  ProviderEvent,
} from '../port.ts';
import type { Keyed } from '../port-common.ts';
import { StripeBalance } from './balance.ts';
import { createdSince, keyed, StripeCaller } from './caller.ts';
import { isCardError, isMissing, isUnexpectedState } from './errors.ts';
import { StripeInvoices } from './invoices.ts';
import { ACCOUNT_KEY, cardOf, cardSetupOf, eventOf, holdOf, idOf, ORDER_KEY } from './mapping.ts';
import { StripeMoney } from './money.ts';

export interface StripeOptions {
  /** `sk_live_…` or `sk_test_…`. */
  readonly secretKey: string;
  /** `whsec_…` of the endpoint. */
  readonly webhookSecret: string;
  /** Where another server than Stripe's answers: the emulator. */
  readonly server?: { readonly host: string; readonly port: number; readonly protocol: 'http' | 'https' };
  /** How long one try may take. */
  readonly timeoutMilliseconds?: number;
  /** Tries after the first, of calls that got no answer. */
  readonly retries?: number;
}

const TIMEOUT_MILLISECONDS = 20_000;
const RETRIES = 2;
const WITH_CHARGE = { expand: ['latest_charge'] };

/** Stripe behind the port. Card data never passes through Servery: cards are entered on Stripe's own page. */
export class StripeProvider implements PaymentProvider {
  readonly invoices: StripeInvoices;
  readonly money: StripeMoney;
  readonly balance: StripeBalance;
  readonly #stripe: Stripe;
  readonly #caller: StripeCaller;
  readonly #webhookSecret: string;

  constructor(options: StripeOptions) {
    const retries = options.retries ?? RETRIES;
    this.#webhookSecret = options.webhookSecret;
    this.#stripe = new Stripe(options.secretKey, {
      ...(options.server ?? {}),
      timeout: options.timeoutMilliseconds ?? TIMEOUT_MILLISECONDS,
      maxNetworkRetries: retries,
      telemetry: false,
      appInfo: { name: 'Servery' },
    });
    this.#caller = new StripeCaller(this.#stripe, retries);
    this.invoices = new StripeInvoices(this.#caller);
    this.money = new StripeMoney(this.#caller);
    this.balance = new StripeBalance(this.#caller);
  }

  createCustomer(request: CreateCustomer): Promise<{ customerId: string }> {
    return this.#caller.call(async () => {
      const customer = await this.#stripe.customers.create(
        {
          email: request.email,
          ...(request.name ? { name: request.name } : {}),
          metadata: { [ACCOUNT_KEY]: String(request.accountId) },
        },
        keyed(request),
      );
      return { customerId: customer.id };
    });
  }

  openCardSetup(request: OpenCardSetup): Promise<CardSetup> {
    return this.#caller.call(async () =>
      cardSetupOf(
        await this.#stripe.checkout.sessions.create(
          {
            mode: 'setup',
            customer: request.customerId,
            currency: request.currency,
            success_url: request.successUrl.replaceAll('{SETUP_ID}', '{CHECKOUT_SESSION_ID}'),
            cancel_url: request.cancelUrl,
            client_reference_id: String(request.accountId),
            metadata: { [ACCOUNT_KEY]: String(request.accountId) },
            expand: ['setup_intent'],
          },
          keyed(request),
        ),
      ),
    );
  }

  fetchCardSetup(setupId: string): Promise<CardSetup> {
    return this.#caller.call(async () =>
      cardSetupOf(await this.#stripe.checkout.sessions.retrieve(setupId, { expand: ['setup_intent'] })),
    );
  }

  listCards(customerId: string): Promise<readonly Card[]> {
    return this.#caller.call(async () => {
      const customer = await this.#stripe.customers.retrieve(customerId);
      if (customer.deleted) return [];
      const defaultId = idOf(customer.invoice_settings.default_payment_method);
      const cards: Card[] = [];
      for await (const method of this.#stripe.customers.listPaymentMethods(customerId, {
        type: 'card',
        limit: 100,
      })) {
        cards.push(cardOf(method, defaultId));
      }
      return cards;
    });
  }

  makeDefaultCard(request: { customerId: string; cardId: string } & Keyed): Promise<void> {
    return this.#caller.call(async () => {
      await this.#stripe.customers.update(
        request.customerId,
        { invoice_settings: { default_payment_method: request.cardId } },
        keyed(request),
      );
    });
  }

  detachCard(request: { cardId: string } & Keyed): Promise<void> {
    return this.#caller.call(async () => {
      try {
        await this.#stripe.paymentMethods.detach(request.cardId, {}, keyed(request));
      } catch (error) {
        if (!isUnexpectedState(error) && !isMissing(error)) throw error;
      }
    });
  }

  openHold(request: OpenHold): Promise<Hold> {
    return this.#caller.call(async () =>
      holdOf(
        await this.#stripe.paymentIntents.create(
          {
            amount: request.amountMinor,
            currency: request.currency,
            customer: request.customerId,
            payment_method: request.cardId,
            capture_method: 'manual',
            description: request.description,
            metadata: { [ORDER_KEY]: String(request.orderId), [ACCOUNT_KEY]: String(request.accountId) },
          },
          keyed(request),
        ),
      ),
    );
  }

  authorizeHold(request: AuthorizeHold): Promise<Hold> {
    const presence = request.returnUrl ? { return_url: request.returnUrl } : { off_session: true };
    return this.#settle(request.holdId, () =>
      this.#stripe.paymentIntents.confirm(request.holdId, { ...presence, ...WITH_CHARGE }, keyed(request)),
    );
  }

  captureHold(request: { holdId: string; amountMinor: number } & Keyed): Promise<Hold> {
    return this.#settle(request.holdId, () =>
      this.#stripe.paymentIntents.capture(
        request.holdId,
        { amount_to_capture: request.amountMinor, ...WITH_CHARGE },
        keyed(request),
      ),
    );
  }

  async cancelHold(request: { holdId: string } & Keyed): Promise<Hold> {
    const hold = await this.#settle(request.holdId, () =>
      this.#stripe.paymentIntents.cancel(request.holdId, WITH_CHARGE, keyed(request)),
    );
    if (hold.status === 'captured') {
      throw new PaymentError('hold_not_open', 'The hold was already captured: refund it instead.');
    }
    return hold;
  }

  async refundHold(request: { holdId: string; amountMinor: number } & Keyed): Promise<Hold> {
    await this.#caller.call(() =>
      this.#stripe.refunds.create(
        { payment_intent: request.holdId, amount: request.amountMinor, reason: 'requested_by_customer' },
        keyed(request),
      ),
    );
    return this.fetchHold(request.holdId);
  }

  fetchHold(holdId: string): Promise<Hold> {
    return this.#caller.find('hold_not_found', holdId, async () =>
      holdOf(await this.#stripe.paymentIntents.retrieve(holdId, WITH_CHARGE)),
    );
  }

  verifyWebhook(rawBody: Buffer, signature: string): ProviderEvent {
    try {
      return eventOf(this.#stripe.webhooks.constructEvent(rawBody, signature, this.#webhookSecret));
    } catch (error) {
      const message =
        'The signature of this webhook does not match: check the webhook secret and send the raw body.';
      throw new PaymentError('webhook_signature_invalid', message, { cause: error });
    }
  }

  async *listEvents(since: Date): AsyncIterable<ProviderEvent> {
    const newestFirst: ProviderEvent[] = [];
    const page = (stripe: Stripe, cursor: object) =>
      stripe.events.list({ ...createdSince(since), ...cursor });
    for await (const event of this.#caller.each(page, eventOf)) newestFirst.push(event);
    yield* newestFirst.reverse();
  }

  /**
   * A call that moves a hold. A decline, and a hold that had moved already, are answered by what is true now;
   * so the same call may be repeated for ever.
   */
  #settle(holdId: string, call: () => Promise<Stripe.PaymentIntent>): Promise<Hold> {
    return this.#caller.call(async () => {
      try {
        return holdOf(await call());
      } catch (error) {
        if (isCardError(error) || isUnexpectedState(error)) return this.fetchHold(holdId);
        throw error;
      }
    });
  }
}
