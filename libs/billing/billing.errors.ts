import { DomainError, type ErrorKind } from '#libs/kernel';

const CODES = {
  cause_posted_differently: 'internal',
  billing_account_not_found: 'not_found',
  currency_differs: 'conflict',
  price_item_not_found: 'not_found',
  price_in_the_past: 'conflict',
  price_missing: 'unavailable',
  usage_not_open: 'conflict',
  period_not_over: 'conflict',
  vat_id_malformed: 'invalid_input',
  country_malformed: 'invalid_input',
  tax_rate_taken: 'conflict',
  invoice_not_found: 'not_found',
  amount_malformed: 'invalid_input',
  refund_exceeds_invoice: 'conflict',
  terms_malformed: 'invalid_input',
  promotion_code_taken: 'conflict',
  promotion_code_unknown: 'not_found',
  promotion_code_expired: 'conflict',
  promotion_code_used: 'conflict',
  spending_limit_reached: 'limit',
} as const satisfies Record<string, ErrorKind>;

export type BillingErrorCode = keyof typeof CODES;

export class BillingError extends DomainError {
  declare readonly code: BillingErrorCode;

  constructor(
    code: BillingErrorCode,
    message: string,
    more: ConstructorParameters<typeof DomainError>[3] = {},
  ) {
    super(CODES[code], code, message, more);
    this.name = 'BillingError';
  }
}
