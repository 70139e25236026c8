import { DomainError, type ErrorKind } from '#libs/kernel';

const CODES = {
  rehearsal_not_found: 'not_found',
  /** Another one of the same server is under way. */
  rehearsal_under_way: 'locked',
  /** It has not ended, or was applied, or is too old, or its server has become another. */
  rehearsal_not_applicable: 'conflict',
  rehearsal_failed: 'conflict',
} as const satisfies Record<string, ErrorKind>;

export type RehearsalsErrorCode = keyof typeof CODES;

export function rehearsalsError(
  code: RehearsalsErrorCode,
  message: string,
  details: Record<string, unknown> = {},
): DomainError {
  return new DomainError(CODES[code], code, message, { details });
}

export function rehearsalNotFound(id: number): DomainError {
  return rehearsalsError('rehearsal_not_found', `there is no rehearsal ${id}`);
}
