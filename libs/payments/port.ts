import type { Currency } from '#libs/kernel';
import type { DeclineCode } from './payments.errors.ts';
import type { BalanceProvider } from './port-balance.ts';
import type { Keyed } from './port-common.ts';
import type { InvoiceProvider } from './port-invoices.ts';
import type { MoneyProvider } from './port-money.ts';

/**
 * What Servery needs from whoever collects its money. No vendor's type crosses this line.
 *
 * Every call that changes something takes an `idempotencyKey` which the caller stored *before* the call: the
 * same key with the same request has one effect, however often it is sent and whether or not an answer came
 * back. Methods reject with `PaymentError` only; `provider_unavailable` means that the effect is unknown and the
 * call may be repeated with the same key.
 *
 * A hold takes two calls on purpose. `openHold` asks for no money, so a crash or a lost answer there costs the
 * customer nothing; `authorizeHold` runs only once the hold's id is stored, so there is no hold on a card that
 * Servery cannot name and release.
 */
export interface PaymentProvider {
  readonly invoices: InvoiceProvider;
  readonly money: MoneyProvider;
  readonly balance: BalanceProvider;

  /** Creates the customer that stands for an account. */
  createCustomer(request: CreateCustomer): Promise<{ customerId: string }>;

  /** Opens a page of the provider on which the customer enters a card; the card becomes usable off-session. */
  openCardSetup(request: OpenCardSetup): Promise<CardSetup>;
  /** What is true now about a card setup. @throws PaymentError `provider_refused` when unknown. */
  fetchCardSetup(setupId: string): Promise<CardSetup>;

  /** The cards of a customer, the default one marked; the newest first. */
  listCards(customerId: string): Promise<readonly Card[]>;
  makeDefaultCard(request: { customerId: string; cardId: string } & Keyed): Promise<void>;
  /** Forgets a card. Forgetting a card that is already forgotten succeeds. */
  detachCard(request: { cardId: string } & Keyed): Promise<void>;

  /** Prepares a hold; no money is asked for yet. */
  openHold(request: OpenHold): Promise<Hold>;
  /** Asks the bank for the money of an opened hold. A decline is an answer (`status: 'declined'`), not an error. */
  authorizeHold(request: AuthorizeHold): Promise<Hold>;
  /** Takes `amountMinor` (≤ the held amount; the rest is let go) of an authorized hold. */
  captureHold(request: { holdId: string; amountMinor: number } & Keyed): Promise<Hold>;
  /** Lets go of a hold in any state but captured. @throws PaymentError `hold_not_open` when it was captured. */
  cancelHold(request: { holdId: string } & Keyed): Promise<Hold>;
  /** Gives back `amountMinor` of what a hold captured. */
  refundHold(request: { holdId: string; amountMinor: number } & Keyed): Promise<Hold>;
  /** What is true now about a hold. @throws PaymentError `hold_not_found`. */
  fetchHold(holdId: string): Promise<Hold>;

  /**
   * Checks that `rawBody` (the bytes as received) is signed by the provider and recent.
   * @throws PaymentError `webhook_signature_invalid`.
   */
  verifyWebhook(rawBody: Buffer, signature: string): ProviderEvent;
  /** Events since a moment, oldest first: repairs what webhooks lost. The provider keeps 30 days. */
  listEvents(since: Date): AsyncIterable<ProviderEvent>;
}

export interface CreateCustomer extends Keyed {
  readonly accountId: number;
  readonly email: string;
  readonly name?: string;
}

export interface OpenCardSetup extends Keyed {
  readonly accountId: number;
  readonly customerId: string;
  readonly currency: Currency;
  /** Where the customer's browser goes afterwards. `{SETUP_ID}` in it is replaced by the setup's id. */
  readonly successUrl: string;
  readonly cancelUrl: string;
}

export type CardSetupStatus = 'open' | 'completed' | 'expired';

export interface CardSetup {
  readonly setupId: string;
  readonly customerId: string;
  readonly status: CardSetupStatus;
  /** The page to open; absent when the setup is over. */
  readonly url?: string;
  /** The card, once completed. */
  readonly cardId?: string;
}

export interface Card {
  readonly cardId: string;
  /** `visa`, `mastercard`, …, in lower case. */
  readonly brand: string;
  readonly last4: string;
  /** 1–12. */
  readonly expiryMonth: number;
  /** Four digits. */
  readonly expiryYear: number;
  readonly isDefault: boolean;
}

export interface OpenHold extends Keyed {
  readonly accountId: number;
  readonly orderId: number;
  readonly customerId: string;
  readonly cardId: string;
  /** 50 or more: providers refuse less. */
  readonly amountMinor: number;
  readonly currency: Currency;
  /** What the customer may read on the provider's receipt. */
  readonly description: string;
}

export interface AuthorizeHold extends Keyed {
  readonly holdId: string;
  /**
   * Given when the customer is there to confirm with their bank: the hold may then answer `requires_action`.
   * Without it the customer is absent, and a bank that asks for them declines with `authentication_required`.
   */
  readonly returnUrl?: string;
}

/** `opened`: no money was asked for. `authorized`: the money is set aside. The last three are final. */
export type HoldStatus = 'opened' | 'requires_action' | 'authorized' | 'declined' | 'captured' | 'cancelled';

export interface Hold {
  readonly holdId: string;
  readonly orderId: number | undefined;
  readonly status: HoldStatus;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly capturedMinor: number;
  readonly refundedMinor: number;
  /** Why it was declined. */
  readonly declineCode?: DeclineCode;
  /** Where the customer confirms the payment, when `requires_action`. */
  readonly actionUrl?: string;
}

/** What an event is about. What happened is found by fetching the subject, never by reading the event. */
export type EventSubject =
  | {
      readonly kind:
        | 'payment'
        | 'card_setup'
        | 'top_up'
        | 'invoice'
        | 'dispute'
        | 'refund'
        | 'payout'
        | 'customer'
        | 'card';
      readonly id: string;
    }
  | { readonly kind: 'other' };

export interface ProviderEvent {
  readonly eventId: string;
  /** As the provider names it; those that mean something to us are `EVENT_TYPES`. */
  readonly type: string;
  readonly createdAt: Date;
  readonly subject: EventSubject;
}
