import { DomainError, type ErrorKind } from '#libs/kernel';

const CODES = {
  export_not_found: 'not_found',
  export_link_expired: 'forbidden',
  export_forbidden_by_licence: 'forbidden',
  export_limit_exceeded: 'limit',
  /** The account is suspended for something else than its bills. */
  export_account_suspended: 'forbidden',
  export_image_not_ready: 'conflict',
  /** No host that answers has what would be exported. */
  export_source_unreachable: 'unavailable',
} as const satisfies Record<string, ErrorKind>;

export type ExportsErrorCode = keyof typeof CODES;

export function exportsError(
  code: ExportsErrorCode,
  message: string,
  details: Record<string, unknown> = {},
): DomainError {
  return new DomainError(CODES[code], code, message, { details });
}
