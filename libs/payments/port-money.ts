import type { Currency } from '#libs/kernel';
import type { Decline, Keyed } from './port-common.ts';

/**
 * Money beside holds and invoices: top-ups, payments off-session, refunds, disputes, the customer's balance. As
 * with invoices, look with a `find…` method before a second key is taken.
 */
export interface MoneyProvider {
  /** Opens a page of the provider on which the customer pays in. */
  openTopUp(request: OpenTopUp): Promise<TopUp>;
  /** @throws PaymentError `provider_refused` when unknown. */
  fetchTopUp(topUpId: string): Promise<TopUp>;
  /** Closes the page; one that is over already is answered as it is. */
  cancelTopUp(request: { topUpId: string } & Keyed): Promise<TopUp>;
  findTopUp(request: { customerId: string; reference: string }): Promise<TopUp | undefined>;

  /** Prepares a payment from a saved card; no money is asked for yet. */
  openPayment(request: OpenPayment): Promise<Payment>;
  /**
   * Charges an opened payment while its customer is away. A decline is an answer. It may be repeated.
   * @throws PaymentError `payment_not_found`.
   */
  confirmPayment(request: { paymentId: string } & Keyed): Promise<Payment>;
  /** Gives a payment up that has not succeeded; one that has is answered as it is. */
  cancelPayment(request: { paymentId: string } & Keyed): Promise<Payment>;
  /** @throws PaymentError `payment_not_found`. */
  fetchPayment(paymentId: string): Promise<Payment>;
  findPayment(request: { customerId: string; reference: string }): Promise<Payment | undefined>;
  /** Payments created since a moment, newest first. */
  listPayments(since: Date): AsyncIterable<Payment>;

  /** Gives money back to the card. @throws PaymentError `refund_too_large`, `payment_not_found`. */
  refund(request: RefundPayment): Promise<Refund>;
  /** @throws PaymentError `refund_not_found`. */
  fetchRefund(refundId: string): Promise<Refund>;
  findRefund(request: { paymentId: string; reference: string }): Promise<Refund | undefined>;
  /** Refunds created since a moment, newest first. */
  listRefunds(since: Date): AsyncIterable<Refund>;

  /** @throws PaymentError `dispute_not_found`. */
  fetchDispute(disputeId: string): Promise<Dispute>;
  /** Gives in: the dispute is lost. One that is over is answered as it is. */
  acceptDispute(request: { disputeId: string } & Keyed): Promise<Dispute>;
  /** Disputes opened since a moment, newest first. */
  listDisputes(since: Date): AsyncIterable<Dispute>;

  /** Changes the customer's balance, which counts in on the next invoice. Below zero is credit. */
  changeBalance(request: ChangeBalance): Promise<BalanceChange>;
  findBalanceChange(request: { customerId: string; reference: string }): Promise<BalanceChange | undefined>;
  fetchCustomer(customerId: string): Promise<ProviderCustomer>;
  /** Deletes a customer with their cards; one that is gone is no error. */
  deleteCustomer(request: { customerId: string } & Keyed): Promise<void>;
  /** Opens the provider's page on which a customer manages their cards. */
  openPortal(request: { customerId: string; returnUrl: string } & Keyed): Promise<{ url: string }>;
}

interface Referenced {
  readonly accountId: number;
  readonly customerId: string;
  /** Ours, by which it is found again. 1–200 characters. */
  readonly reference: string;
  readonly currency: Currency;
}

export interface OpenTopUp extends Keyed, Referenced {
  /** 50 or more. */
  readonly amountMinor: number;
  /** What the customer reads on the page and the receipt. */
  readonly description: string;
  /** `{TOP_UP_ID}` in it is replaced by the top-up's id. */
  readonly successUrl: string;
  readonly cancelUrl: string;
  /** Whether the card is kept for later payments. */
  readonly savesCard: boolean;
}

/** `processing`: the customer is done, their bank is not. */
export type TopUpStatus = 'open' | 'processing' | 'paid' | 'failed' | 'expired';

export interface TopUp {
  readonly topUpId: string;
  readonly customerId: string;
  readonly accountId: number | undefined;
  readonly reference: string | undefined;
  readonly status: TopUpStatus;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly paymentId: string | undefined;
  /** The page to open; absent when it is over. */
  readonly url: string | undefined;
}

export interface OpenPayment extends Keyed, Referenced {
  readonly cardId: string;
  /** 50 or more. */
  readonly amountMinor: number;
  readonly description: string;
}

/** `opened`: no money was asked for. `succeeded` and `cancelled` are final. */
export type PaymentStatus =
  | 'opened'
  | 'requires_action'
  | 'processing'
  | 'declined'
  | 'succeeded'
  | 'cancelled';

export interface Payment {
  readonly paymentId: string;
  readonly customerId: string | undefined;
  readonly accountId: number | undefined;
  readonly reference: string | undefined;
  /** The order whose hold it is. */
  readonly orderId: number | undefined;
  /** The invoice that it collects; known where a single payment was fetched. */
  readonly invoiceId: string | undefined;
  readonly status: PaymentStatus;
  readonly amountMinor: number;
  readonly currency: Currency;
  /** Taken, before refunds. */
  readonly receivedMinor: number;
  readonly refundedMinor: number;
  readonly isDisputed: boolean;
  readonly decline: Decline | undefined;
  readonly createdAt: Date;
}

export interface RefundPayment extends Keyed {
  readonly paymentId: string;
  readonly amountMinor: number;
  readonly reference: string;
  readonly reason: 'duplicate' | 'fraudulent' | 'requested_by_customer';
}

export interface Refund {
  readonly refundId: string;
  readonly paymentId: string | undefined;
  readonly reference: string | undefined;
  readonly amountMinor: number;
  readonly currency: Currency;
  readonly status: 'pending' | 'succeeded' | 'failed' | 'cancelled';
  readonly createdAt: Date;
}

/**
 * `inquiry`: the bank asks, and has taken nothing yet; it may become a dispute. `open`: the money is with the bank until
 * it is decided. `won`: it came back, or was never taken.
 */
export type DisputeStatus = 'inquiry' | 'open' | 'won' | 'lost';

export interface Dispute {
  readonly disputeId: string;
  readonly paymentId: string | undefined;
  readonly status: DisputeStatus;
  readonly amountMinor: number;
  readonly currency: Currency;
  /** The bank's word for it: `fraudulent`, `product_not_received`… */
  readonly reason: string;
  /** Until when it may be answered. */
  readonly answerBy: Date | undefined;
  readonly createdAt: Date;
}

export interface ChangeBalance extends Keyed, Referenced {
  /** Below zero gives credit. */
  readonly amountMinor: number;
  readonly description: string;
}

export interface BalanceChange {
  readonly changeId: string;
  readonly amountMinor: number;
  /** The balance afterwards. */
  readonly balanceMinor: number;
}

export interface ProviderCustomer {
  readonly customerId: string;
  readonly isDeleted: boolean;
  /** Below zero is credit. */
  readonly balanceMinor: number;
  readonly defaultCardId: string | undefined;
}
