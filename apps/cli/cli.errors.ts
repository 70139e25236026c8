import { DomainError, type ErrorKind } from '#libs/kernel';

const KINDS = {
  already_running: 'locked',
  command_failed: 'internal',
  daemon_failed: 'unavailable',
  not_installed: 'unavailable',
  not_root: 'forbidden',
  mounts_left: 'conflict',
  image_missing: 'unavailable',
  unknown_appliance: 'invalid_input',
  order_failed: 'unavailable',
  api_refused: 'internal',
  ssh_failed: 'unavailable',
  mail_refused: 'unavailable',
  clock_fixed: 'conflict',
} as const satisfies Record<string, ErrorKind>;

export type CliErrorCode = keyof typeof KINDS;

/** A refusal or failure of the operator's command; the message says what to do next. */
export class CliError extends DomainError {
  /** The log that tells more. */
  readonly log: string | undefined;

  constructor(code: CliErrorCode, message: string, more: { log?: string; cause?: unknown } = {}) {
    super(KINDS[code], code, message, more);
    this.name = 'CliError';
    this.log = more.log;
  }
}
