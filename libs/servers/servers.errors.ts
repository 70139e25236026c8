import { DomainError, type ErrorKind } from '#libs/kernel';

const CODES = {
  server_not_found: 'not_found',
  action_not_found: 'not_found',
  server_name_taken: 'conflict',
  server_locked: 'locked',
  server_suspended: 'forbidden',
  server_protected: 'forbidden',
  image_too_large: 'invalid_input',
  image_not_found: 'not_found',
  image_of_catalog: 'forbidden',
  image_protected: 'locked',
  image_suspended: 'forbidden',
  image_in_the_making: 'conflict',
  image_not_a_snapshot: 'invalid_input',
  image_of_another_server: 'invalid_input',
  image_of_another_size: 'invalid_input',
  backups_not_enabled: 'conflict',
  backup_not_due: 'conflict',
  server_not_ready: 'conflict',
  server_must_be_off: 'conflict',
  server_must_run: 'conflict',
  invalid_server_type: 'invalid_input',
  network_is_open: 'conflict',
  network_closed: 'conflict',
  /** Its own system does not run, nor would what is asked for work on the one that does. */
  server_in_rescue: 'conflict',
  /** It would start from that, and not from the new system. */
  iso_attached: 'conflict',
  /** Its host has no rescue system. */
  rescue_unavailable: 'unavailable',
  /** Its host does not reach the disk that was frozen, or lacks the image beneath that. */
  image_out_of_reach: 'unavailable',
  credentials_not_there: 'not_found',
  credentials_gone: 'conflict',
} as const satisfies Record<string, ErrorKind>;

export type ServersErrorCode = keyof typeof CODES;

/** A refusal that concerns one server. */
export class ServersError extends DomainError {
  declare readonly code: ServersErrorCode;

  constructor(
    code: ServersErrorCode,
    message: string,
    field?: string,
    details: Readonly<Record<string, unknown>> = {},
  ) {
    const fields = field ? [{ name: field, messages: [message] }] : [];
    super(CODES[code], code, message, { fields, details });
    this.name = 'ServersError';
  }
}
