import { DomainError, type ErrorKind } from '#libs/kernel';

const kinds = {
  account_not_found: 'not_found',
  email_taken: 'conflict',
  wrong_credentials: 'unauthorized',
  email_unconfirmed: 'forbidden',
  email_already_confirmed: 'conflict',
  link_gone: 'not_found',
  project_not_found: 'not_found',
  project_name_taken: 'conflict',
  api_token_not_found: 'not_found',
  ssh_key_not_found: 'not_found',
  ssh_key_name_taken: 'conflict',
  ssh_key_fingerprint_taken: 'conflict',
  ssh_key_invalid: 'invalid_input',
  ssh_keys_unknown: 'invalid_input',
  too_many: 'limit',
} as const satisfies Record<string, ErrorKind>;

export type AccountsErrorCode = keyof typeof kinds;

export class AccountsError extends DomainError {
  constructor(code: AccountsErrorCode, message: string, field?: string) {
    super(kinds[code], code, message, field ? { fields: [{ name: field, messages: [message] }] } : {});
  }
}

/** The same words for what is not there and for what is another's. */
export function notFound(
  code: 'account_not_found' | 'project_not_found' | 'api_token_not_found' | 'ssh_key_not_found',
  what: string,
  id: number,
): AccountsError {
  return new AccountsError(code, `${what} with ID ${id} not found`);
}
