import { DomainError, type ErrorKind } from '#libs/kernel';

const CODES = {
  iso_not_found: 'not_found',
  /** Another file has the name. */
  iso_name_taken: 'conflict',
  /** A server has it in its CD drive. */
  iso_in_use: 'conflict',
  /** The server's host does not have it. */
  iso_unavailable: 'unavailable',
  /** The server's machine has no virtio, and so no CD drive that comes and goes while it runs. */
  iso_bus_unsupported: 'invalid_input',
  iso_invalid: 'invalid_input',
} as const satisfies Record<string, ErrorKind>;

export type IsosErrorCode = keyof typeof CODES;

/** A refusal that concerns one ISO image. */
export class IsosError extends DomainError {
  declare readonly code: IsosErrorCode;

  constructor(code: IsosErrorCode, message: string, field?: string) {
    super(CODES[code], code, message, { fields: field ? [{ name: field, messages: [message] }] : [] });
    this.name = 'IsosError';
  }
}
