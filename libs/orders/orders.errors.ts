import { DomainError, type ErrorKind } from '#libs/kernel';

const CODES = {
  order_not_found: 'not_found',
  account_suspended: 'forbidden',
  account_in_arrears: 'payment_required',
  resource_limit_exceeded: 'limit',
  credit_exhausted: 'payment_required',
  type_too_small: 'invalid_input',
  resource_not_given: 'invalid_input',
} as const satisfies Record<string, ErrorKind>;

export type OrdersErrorCode = keyof typeof CODES;

export class OrdersError extends DomainError {
  declare readonly code: OrdersErrorCode;

  constructor(
    code: OrdersErrorCode,
    message: string,
    more: ConstructorParameters<typeof DomainError>[3] = {},
  ) {
    super(CODES[code], code, message, more);
    this.name = 'OrdersError';
  }
}
