import Stripe from 'stripe';
import { type DeclineCode, PaymentError } from '../payments.errors.ts';
import type { Decline } from '../port-common.ts';

/** Stripe's error codes and banks' decline codes, in our words. What is not listed is `card_declined`. */
const DECLINES: Readonly<Record<string, DeclineCode>> = {
  insufficient_funds: 'insufficient_funds',
  expired_card: 'card_expired',
  incorrect_cvc: 'incorrect_cvc',
  invalid_cvc: 'incorrect_cvc',
  authentication_required: 'authentication_required',
  payment_intent_authentication_failure: 'authentication_failed',
  setup_intent_authentication_failure: 'authentication_failed',
};

/** Why a card was refused. The bank's `declineCode` says more than Stripe's `code`, where it is known. */
export function declineCodeOf(code: string | undefined, declineCode: string | undefined): DeclineCode {
  return DECLINES[declineCode ?? ''] ?? DECLINES[code ?? ''] ?? 'card_declined';
}

/** Refusals after which the same card need not be tried again. Source: docs.stripe.com/declines/codes. */
const FINAL = [
  'lost_card',
  'stolen_card',
  'pickup_card',
  'restricted_card',
  'security_violation',
  'fraudulent',
  'invalid_account',
  'new_account_information_available',
  'revocation_of_all_authorizations',
  'revocation_of_authorization',
  'stop_payment_order',
  'transaction_not_allowed',
  'expired_card',
  'incorrect_number',
  'authentication_required',
];

interface Refusal {
  readonly code?: string | undefined;
  readonly decline_code?: string | undefined;
  readonly advice_code?: string | undefined;
}

/** A refusal of a card, in our words. */
export function declineOf({ code, decline_code, advice_code }: Refusal): Decline {
  const isFinal = advice_code === 'do_not_try_again' || FINAL.includes(decline_code ?? code ?? '');
  return { code: declineCodeOf(code, decline_code), isFinal };
}

/** Whether Stripe answered that the object is in a state that does not allow the call. */
export function isUnexpectedState(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && (error.code ?? '').endsWith('_unexpected_state');
}

export function isCardError(error: unknown): error is InstanceType<typeof Stripe.errors.StripeCardError> {
  return error instanceof Stripe.errors.StripeCardError;
}

/** Whether Stripe refused a request for what it asks, or for the state of what it is about. */
export function isRefused(
  error: unknown,
): error is InstanceType<typeof Stripe.errors.StripeInvalidRequestError> {
  return error instanceof Stripe.errors.StripeInvalidRequestError;
}

export function isMissing(error: unknown): boolean {
  return error instanceof Stripe.errors.StripeError && error.code === 'resource_missing';
}

/**
 * Stripe's error as ours. Details carry Stripe's type, code and request id, and never a card or a key.
 * `isAnswered` tells a 5xx that Stripe's idempotency will repeat from a silence that it will not.
 */
export function paymentErrorOf(error: unknown): PaymentError {
  if (error instanceof PaymentError) return error;
  if (!(error instanceof Stripe.errors.StripeError)) {
    return new PaymentError('provider_unavailable', 'The payment provider cannot be reached.', {
      cause: error,
    });
  }
  const details = {
    stripeType: error.type,
    stripeCode: error.code ?? null,
    param: error.param ?? null,
    requestId: error.requestId ?? null,
    isAnswered: (error.statusCode ?? 0) >= 500,
  };
  const more = { details, cause: error };
  if (isUnavailable(error)) {
    return new PaymentError(
      'provider_unavailable',
      'The payment provider does not answer now; try again.',
      more,
    );
  }
  if (
    error instanceof Stripe.errors.StripeAuthenticationError ||
    error instanceof Stripe.errors.StripePermissionError
  ) {
    return new PaymentError('provider_misconfigured', 'The payment provider refuses our key.', more);
  }
  if (isCardError(error)) {
    return new PaymentError(declineCodeOf(error.code, error.decline_code), 'The card was declined.', more);
  }
  return new PaymentError(
    'provider_refused',
    `The payment provider refused the request: ${error.message}`,
    more,
  );
}

function isUnavailable(error: InstanceType<typeof Stripe.errors.StripeError>): boolean {
  return (
    error instanceof Stripe.errors.StripeConnectionError ||
    error instanceof Stripe.errors.StripeRateLimitError ||
    error.statusCode === 409 ||
    (error.statusCode ?? 0) >= 500
  );
}
