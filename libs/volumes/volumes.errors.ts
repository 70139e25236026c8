import { DomainError, type ErrorKind } from '#libs/kernel';

const CODES = {
  volume_not_found: 'not_found',
  volume_name_taken: 'conflict',
  /** An action is running on it. */
  volume_locked: 'locked',
  volume_protected: 'locked',
  /** Its account is suspended. */
  volume_suspended: 'forbidden',
  volume_already_attached: 'conflict',
  volume_not_attached: 'invalid_input',
  /** It cannot be deleted while a server has it. */
  volume_still_attached: 'conflict',
  /** Volumes only grow. */
  volume_not_larger: 'invalid_input',
  volume_limit_exceeded: 'limit',
  /** The server is in another location. */
  volume_in_another_location: 'invalid_input',
  volume_needs_a_place: 'invalid_input',
  /** The server's machine has no virtio, and so no driver for what volumes hang on. */
  volume_bus_unsupported: 'invalid_input',
  volume_slots_taken: 'limit',
  /** They have data on hosts of which none reaches the others. */
  volumes_apart: 'invalid_input',
} as const satisfies Record<string, ErrorKind>;

export type VolumesErrorCode = keyof typeof CODES;

/** A refusal that concerns one volume. */
export class VolumesError extends DomainError {
  declare readonly code: VolumesErrorCode;

  constructor(
    code: VolumesErrorCode,
    message: string,
    field?: string,
    details: Readonly<Record<string, unknown>> = {},
  ) {
    const fields = field ? [{ name: field, messages: [message] }] : [];
    super(CODES[code], code, message, { fields, details });
    this.name = 'VolumesError';
  }
}

export function volumeNotFound(id: number): VolumesError {
  return new VolumesError('volume_not_found', `there is no volume ${id}`);
}

export function volumeNameTaken(name: string): VolumesError {
  const message = `the name "${name}" is taken by another volume of this project`;
  return new VolumesError('volume_name_taken', message, 'name');
}
