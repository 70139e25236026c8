import { DomainError } from '#libs/kernel';

/** Every refusal that payments can give. `retryable` says whether the same request may succeed later. */
const CODES = {
  card_declined: { kind: 'payment_required', retryable: false },
  insufficient_funds: { kind: 'payment_required', retryable: false },
  card_expired: { kind: 'payment_required', retryable: false },
  incorrect_cvc: { kind: 'payment_required', retryable: false },
  authentication_required: { kind: 'payment_required', retryable: false },
  authentication_failed: { kind: 'payment_required', retryable: false },
  no_card: { kind: 'payment_required', retryable: false },
  hold_expired: { kind: 'payment_required', retryable: false },
  hold_not_open: { kind: 'conflict', retryable: false },
  hold_not_found: { kind: 'not_found', retryable: false },
  card_not_found: { kind: 'not_found', retryable: false },
  payment_not_found: { kind: 'not_found', retryable: false },
  invoice_not_found: { kind: 'not_found', retryable: false },
  invoice_not_open: { kind: 'conflict', retryable: false },
  dispute_not_found: { kind: 'not_found', retryable: false },
  refund_not_found: { kind: 'not_found', retryable: false },
  payout_not_found: { kind: 'not_found', retryable: false },
  refund_too_large: { kind: 'conflict', retryable: false },
  amount_invalid: { kind: 'invalid_input', retryable: false },
  webhook_signature_invalid: { kind: 'invalid_input', retryable: false },
  provider_refused: { kind: 'internal', retryable: false },
  provider_misconfigured: { kind: 'internal', retryable: false },
  clock_moved: { kind: 'conflict', retryable: false },
  provider_unavailable: { kind: 'unavailable', retryable: true },
} as const satisfies Record<string, { kind: DomainError['kind']; retryable: boolean }>;

export type PaymentErrorCode = keyof typeof CODES;

/** The codes with which a bank or a customer refuses a payment; a hold that is declined carries one of them. */
export const DECLINE_CODES = [
  'card_declined',
  'insufficient_funds',
  'card_expired',
  'incorrect_cvc',
  'authentication_required',
  'authentication_failed',
  'no_card',
  'hold_expired',
] as const satisfies readonly PaymentErrorCode[];
export type DeclineCode = (typeof DECLINE_CODES)[number];

/** What a customer should do about a decline, in one sentence. */
export const DECLINE_ADVICE: Record<DeclineCode, string> = {
  card_declined: 'The bank declined the card: use another card or ask your bank.',
  insufficient_funds: 'The card has not enough funds: use another card or a smaller server.',
  card_expired: 'The card has expired: add a card that is valid.',
  incorrect_cvc: "The card's security code is wrong: enter the card again.",
  authentication_required:
    'The bank asks you to confirm this payment: order in the storefront and confirm it.',
  authentication_failed: 'The payment was not confirmed with the bank: order again and confirm it.',
  no_card: 'No card is on file: add a card, then order again.',
  hold_expired: 'The payment was not confirmed in time: order again.',
};

export class PaymentError extends DomainError {
  declare readonly code: PaymentErrorCode;
  /** True where the same call may succeed later without anybody doing anything. */
  readonly retryable: boolean;

  constructor(
    code: PaymentErrorCode,
    message: string,
    more: { details?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(CODES[code].kind, code, message, more);
    this.name = 'PaymentError';
    this.retryable = CODES[code].retryable;
  }
}

/** A `PaymentError` for a decline, with the advice as its message. */
export function declined(
  code: DeclineCode,
  more: { details?: Record<string, unknown>; cause?: unknown } = {},
) {
  return new PaymentError(code, DECLINE_ADVICE[code], more);
}
