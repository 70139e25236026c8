import { DomainError, type ErrorKind } from '#libs/kernel';

/** Why a disk is refused, or could not be made ready, as a closed set. */
const CODES = {
  /** What was given is no regular file of its own: a link, a device, a folder, or a file with two names. */
  disk_path_unsafe: 'invalid_input',
  /** The file is of another format than the one that was given; it is never guessed. */
  disk_format_mismatch: 'invalid_input',
  /** It is compressed or packed as a whole (gzip, zip, zstd…). */
  disk_is_packed: 'invalid_input',
  /** Its header promises what the file does not hold, or what no program would write. */
  disk_malformed: 'invalid_input',
  /** A version or kind of the format that is not taken. */
  disk_unsupported: 'invalid_input',
  /** It needs another file: a backing file, a data file, an extent, a parent. */
  disk_refers_elsewhere: 'invalid_input',
  disk_encrypted: 'invalid_input',
  /** It was not closed cleanly, is marked corrupt, or its check finds errors. */
  disk_needs_repair: 'invalid_input',
  /** It has snapshots or bitmaps within. */
  disk_has_snapshots: 'invalid_input',
  disk_too_large: 'limit',
  /** The archive has links, devices, names that lead out of it, or is no plain tar. */
  archive_unsafe: 'invalid_input',
  /** The archive's description is not one that can be followed. */
  archive_description_invalid: 'invalid_input',
  archive_checksum_mismatch: 'invalid_input',
  /** Reading it took more time, memory or output than a disk of its size may. */
  disk_exceeds_limits: 'limit',
  disk_conversion_failed: 'invalid_input',
  /** This machine's folder has no room for what is made of it. */
  disk_no_space: 'unavailable',
  /** Nothing that we know how to write keys into. */
  disk_system_unknown: 'invalid_input',
  disk_system_unclean: 'invalid_input',
  /** A place where keys belong is a link, or no folder. */
  disk_system_refused: 'invalid_input',
  disk_work_cancelled: 'conflict',
  /** The output's name is taken. */
  disk_output_exists: 'conflict',
  /** This machine cannot make the sandbox: nothing was opened. */
  disk_sandbox_unavailable: 'unavailable',
  fetch_url_refused: 'invalid_input',
  /** The name leads to an address that is not public. */
  fetch_address_refused: 'invalid_input',
  fetch_too_large: 'limit',
  fetch_timed_out: 'limit',
  fetch_failed: 'invalid_input',
} as const satisfies Record<string, ErrorKind>;

export type DiskFileErrorCode = keyof typeof CODES;

export const DISK_FILE_ERROR_CODES = Object.keys(CODES) as readonly DiskFileErrorCode[];

/** A refusal. `message` tells the uploader what to do. */
export function diskError(
  code: DiskFileErrorCode,
  message: string,
  more: { details?: Record<string, unknown>; cause?: unknown } = {},
): DomainError {
  return new DomainError(CODES[code], code, message, more);
}

/** The refusal of what no program would have written. `what` is a sentence without its full stop. */
export function malformed(what: string): DomainError {
  return diskError(
    'disk_malformed',
    `${what}. Upload the file again, or write it anew with qemu-img convert.`,
  );
}
