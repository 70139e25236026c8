import { DomainError, type ErrorKind } from '#libs/kernel';

const KINDS = {
  bad_argument: 'invalid_input',
  bad_folder: 'invalid_input',
  host_unknown: 'not_found',
  no_lab: 'not_found',
  not_root: 'forbidden',
  packages_missing: 'unavailable',
  lab_busy: 'locked',
  command_failed: 'internal',
  host_failed: 'internal',
  host_not_running: 'conflict',
  no_disk_limit: 'conflict',
  process_failed: 'internal',
  relay_failed: 'internal',
  unreachable: 'unavailable',
} as const satisfies Record<string, ErrorKind>;

export type LabErrorCode = keyof typeof KINDS;

/** A refusal or failure of the lab; the message says what to do next. */
export class LabError extends DomainError {
  constructor(code: LabErrorCode, message: string, cause?: unknown) {
    super(KINDS[code], code, message, { cause });
    this.name = 'LabError';
  }
}
