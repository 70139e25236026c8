import { DomainError, type ErrorKind } from '#libs/kernel';

const KINDS = {
  addresses_exhausted: 'unavailable',
  addresses_in_use: 'conflict',
  address_in_use: 'conflict',
  address_run_invalid: 'invalid_input',
} as const satisfies Record<string, ErrorKind>;

export type NetworksErrorCode = keyof typeof KINDS;

export class NetworksError extends DomainError {
  constructor(code: NetworksErrorCode, message: string, details: Record<string, unknown> = {}) {
    super(KINDS[code], code, message, { details });
    this.name = 'NetworksError';
  }
}
