import { DomainError, type ErrorKind } from '#libs/kernel';

const CODES = {
  import_limit_reached: 'limit',
  upload_too_large: 'limit',
  upload_not_found: 'not_found',
  /** Bytes of it are missing. */
  upload_incomplete: 'conflict',
  /** An image has been made of it, or is being made. */
  upload_taken: 'conflict',
  /** It came without a file, or without saying what it is. */
  upload_without_length: 'invalid_input',
} as const satisfies Record<string, ErrorKind>;

export type ImportsErrorCode = keyof typeof CODES;

/** A refusal of an upload or an import; those of the file itself are `DISK_FILE_ERROR_CODES`. */
export class ImportsError extends DomainError {
  declare readonly code: ImportsErrorCode;

  constructor(code: ImportsErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(CODES[code], code, message, { details });
    this.name = 'ImportsError';
  }
}
