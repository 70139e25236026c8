import { DomainError, type ErrorKind } from '#libs/kernel';

/**
 * Everything that can go wrong on a host, as a closed set. `retryable` says whether the very same call on the
 * same host may succeed later without anyone changing the request: a saga tries those again with backoff and
 * undoes at once on the others.
 */
const CODES = {
  /** The host does not answer, or the way to it (socket, SSH, TLS) is broken. */
  host_unreachable: { kind: 'unavailable', retryable: true },
  /** The host is gone for good, with all that was on it. */
  host_lost: { kind: 'conflict', retryable: false },
  /** The host took the call and gave no answer within the time limit. The call may still take effect. */
  host_timeout: { kind: 'unavailable', retryable: true },
  /** The host lacks a pool, bridge, network filter or right that Servery needs: its operator must act. */
  host_misconfigured: { kind: 'unavailable', retryable: false },
  /** The host has no firmware of the kind that was asked for: a guest that starts by UEFI needs OVMF there. */
  firmware_missing: { kind: 'unavailable', retryable: false },
  /** No driver speaks this host's URI. */
  uri_unsupported: { kind: 'invalid_input', retryable: false },
  /** The storage pool, or the host's memory, cannot take what was asked. */
  pool_full: { kind: 'unavailable', retryable: false },
  host_out_of_memory: { kind: 'unavailable', retryable: false },
  /** The image is not in the pool, or its upload was never finished. */
  image_missing: { kind: 'not_found', retryable: false },
  /** The file's bytes are not what its checksum or sizes promise. */
  image_corrupt: { kind: 'invalid_input', retryable: false },
  /** Overlays still stand on the image. */
  image_in_use: { kind: 'conflict', retryable: false },
  volume_missing: { kind: 'not_found', retryable: false },
  /** A domain (running or not) still has the volume among its disks. */
  volume_in_use: { kind: 'conflict', retryable: true },
  /** A volume of this name exists and is not the one asked for. */
  volume_exists_foreign: { kind: 'conflict', retryable: false },
  /** The overlay would be smaller than the image it stands on. */
  disk_too_small: { kind: 'invalid_input', retryable: false },
  domain_missing: { kind: 'not_found', retryable: false },
  /** What was kept of a guest's memory fits a machine of another size: its vCPUs or its RAM were others then. */
  memory_of_another_size: { kind: 'conflict', retryable: false },
  /** A guest's memory knows all its disks, and only its own can be gone back to. */
  domain_has_other_disks: { kind: 'conflict', retryable: false },
  domain_not_running: { kind: 'conflict', retryable: false },
  /** The domain was started before there were such consoles: it gets them when it is switched off and on. */
  console_missing: { kind: 'conflict', retryable: false },
  console_busy: { kind: 'conflict', retryable: true },
  /** A domain of this UUID or name exists and does not carry our mark: it is never touched. */
  domain_exists_foreign: { kind: 'conflict', retryable: false },
  /** The guest agent is not (yet) there, or does not answer. */
  agent_not_answering: { kind: 'unavailable', retryable: true },
  /** The guest agent answered with a refusal, e.g. an unknown user. */
  agent_refused: { kind: 'conflict', retryable: false },
  /** The specification itself is wrong; `fields` names what. */
  invalid_spec: { kind: 'invalid_input', retryable: false },
  /** The host refused for a reason outside this list; its words are in `details.said`. */
  host_refused: { kind: 'internal', retryable: true },
} as const satisfies Record<string, { kind: ErrorKind; retryable: boolean }>;

export type HypervisorErrorCode = keyof typeof CODES;

export const HYPERVISOR_ERROR_CODES = Object.keys(CODES) as readonly HypervisorErrorCode[];

/** What a host refused, or why it could not be asked. `details` carries at least `host`. */
export class HypervisorError extends DomainError {
  declare readonly code: HypervisorErrorCode;
  readonly retryable: boolean;

  constructor(
    code: HypervisorErrorCode,
    message: string,
    more: ConstructorParameters<typeof DomainError>[3] = {},
  ) {
    super(CODES[code].kind, code, message, more);
    this.name = 'HypervisorError';
    this.retryable = CODES[code].retryable;
  }
}

/** True when `error` is a HypervisorError, of one of `codes` where any are given. */
export function isHypervisorError(
  error: unknown,
  ...codes: readonly HypervisorErrorCode[]
): error is HypervisorError {
  return error instanceof HypervisorError && (codes.length === 0 || codes.includes(error.code));
}

/** The overlay that was asked for does not hold the image beneath it. */
export function diskTooSmall(image: {
  readonly volumeName: string;
  readonly virtualSizeBytes: number;
}): HypervisorError {
  const message = `A disk on image ${image.volumeName} needs at least ${image.virtualSizeBytes} bytes.`;
  return new HypervisorError('disk_too_small', message, {
    fields: [{ name: 'sizeGib', messages: [message] }],
  });
}
