/** How a test card behaves. Source: docs.stripe.com/testing. */
export interface CardBehaviour {
  readonly brand: string;
  readonly funding: 'credit' | 'debit';
  /** How a charge fails. */
  readonly decline?: Decline;
  /** Whether it already fails when it is saved for later. */
  readonly declinesOnSetup?: boolean;
  /** When the bank asks the customer to confirm. */
  readonly authentication?: 'unless_set_up' | 'always';
  /** Why its owner disputes each payment. */
  readonly dispute?: 'fraudulent' | 'product_not_received';
  /** Whether its bank sends refunds back, some time after they were made. */
  readonly failsRefunds?: boolean;
}

export interface Decline {
  readonly code: string;
  readonly declineCode?: string;
  readonly message: string;
}

const declinedAs = (declineCode: string): Decline => ({
  code: 'card_declined',
  declineCode,
  message: 'Your card was declined.',
});

export const DECLINES = {
  generic: declinedAs('generic_decline'),
  insufficientFunds: { ...declinedAs('insufficient_funds'), message: 'Your card has insufficient funds.' },
  lost: declinedAs('lost_card'),
  stolen: declinedAs('stolen_card'),
  velocity: declinedAs('card_velocity_exceeded'),
  expired: { code: 'expired_card', message: 'Your card has expired.' },
  cvc: { code: 'incorrect_cvc', message: "Your card's security code is incorrect." },
  processing: {
    code: 'processing_error',
    message: 'An error occurred while processing your card. Try again in a little bit.',
  },
} as const satisfies Record<string, Decline>;

const visa = { brand: 'visa', funding: 'credit' } as const;
const failing = (decline: Decline): CardBehaviour => ({ ...visa, decline, declinesOnSetup: true });

const CARDS: Readonly<Record<string, CardBehaviour>> = {
  '4242424242424242': visa,
  '4000056655665556': { brand: 'visa', funding: 'debit' },
  '5555555555554444': { brand: 'mastercard', funding: 'credit' },
  '2223003122003222': { brand: 'mastercard', funding: 'credit' },
  '5200828282828210': { brand: 'mastercard', funding: 'debit' },
  '378282246310005': { brand: 'amex', funding: 'credit' },
  '6011111111111117': { brand: 'discover', funding: 'credit' },
  '3056930009020004': { brand: 'diners', funding: 'credit' },
  '3566002020360505': { brand: 'jcb', funding: 'credit' },
  '6200000000000005': { brand: 'unionpay', funding: 'credit' },
  '4000000000000002': failing(DECLINES.generic),
  '4000000000009995': failing(DECLINES.insufficientFunds),
  '4000000000009987': failing(DECLINES.lost),
  '4000000000009979': failing(DECLINES.stolen),
  '4000000000000069': failing(DECLINES.expired),
  '4000000000000127': failing(DECLINES.cvc),
  '4000000000000119': failing(DECLINES.processing),
  '4000000000006975': failing(DECLINES.velocity),
  '4000000000000341': { ...visa, decline: DECLINES.generic },
  '4000000000000259': { ...visa, dispute: 'fraudulent' },
  '4000000000005126': { ...visa, failsRefunds: true },
  '4000000000002685': { ...visa, dispute: 'product_not_received' },
  '4000002500003155': { ...visa, authentication: 'unless_set_up' },
  '4000002760003184': { ...visa, authentication: 'always' },
  '4000000000003220': { ...visa, authentication: 'always' },
  '4000003800000446': visa,
  '4000008260003178': { ...visa, authentication: 'unless_set_up', decline: DECLINES.insufficientFunds },
  '4000008400001629': { ...visa, authentication: 'always', decline: DECLINES.generic },
};

/** Payment methods that may be named without entering a card. */
const TEST_IDS: Readonly<Record<string, string>> = {
  pm_card_visa: '4242424242424242',
  pm_card_visa_debit: '4000056655665556',
  pm_card_mastercard: '5555555555554444',
  pm_card_mastercard_debit: '5200828282828210',
  pm_card_amex: '378282246310005',
  pm_card_discover: '6011111111111117',
  pm_card_diners: '3056930009020004',
  pm_card_jcb: '3566002020360505',
  pm_card_unionpay: '6200000000000005',
  pm_card_visa_chargeDeclined: '4000000000000002',
  pm_card_chargeDeclined: '4000000000000002',
  pm_card_visa_chargeDeclinedInsufficientFunds: '4000000000009995',
  pm_card_chargeDeclinedInsufficientFunds: '4000000000009995',
  pm_card_visa_chargeDeclinedLostCard: '4000000000009987',
  pm_card_visa_chargeDeclinedStolenCard: '4000000000009979',
  pm_card_chargeDeclinedExpiredCard: '4000000000000069',
  pm_card_chargeDeclinedIncorrectCvc: '4000000000000127',
  pm_card_chargeDeclinedProcessingError: '4000000000000119',
  pm_card_chargeCustomerFail: '4000000000000341',
  pm_card_refundFail: '4000000000005126',
  pm_card_createDispute: '4000000000000259',
  pm_card_createDisputeProductNotReceived: '4000000000002685',
  pm_card_authenticationRequiredOnSetup: '4000002500003155',
  pm_card_authenticationRequired: '4000002760003184',
  pm_card_threeDSecure2Required: '4000000000003220',
  pm_card_authenticationRequiredSetupForOffSession: '4000003800000446',
  pm_card_authenticationRequiredChargeDeclinedInsufficientFunds: '4000008260003178',
};

export function numberOfTestId(paymentMethodId: string): string | undefined {
  return Object.hasOwn(TEST_IDS, paymentMethodId) ? TEST_IDS[paymentMethodId] : undefined;
}

/** The behaviour of a test card; undefined for a number that is none, as real cards are in Stripe's test mode. */
export function behaviourOf(number: string): CardBehaviour | undefined {
  return Object.hasOwn(CARDS, number) ? CARDS[number] : undefined;
}

/** Luhn's check, by which a mistyped number is told from a declined one. */
export function isCardNumber(number: string): boolean {
  if (!/^\d{12,19}$/.test(number)) return false;
  const sum = [...number].reverse().reduce((total, digit, index) => {
    const value = Number(digit) * (index % 2 === 1 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}
