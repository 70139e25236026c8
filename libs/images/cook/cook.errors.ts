import { DomainError, type ErrorKind, type FieldProblem } from '#libs/kernel';

/** `cook_no_space` is this machine's folder; `cook_disk_full` the builder's own disk, which a limit bounds. */
export type CookErrorCode =
  | 'cook_wall_unavailable'
  | 'cook_tools_missing'
  | 'cook_no_package_source'
  | 'cook_packages_unavailable'
  | 'cook_packages_unknown'
  | 'cook_packages_conflict'
  | 'cook_no_space'
  | 'cook_disk_full'
  | 'cook_tool_too_slow'
  | 'cook_out_of_time'
  | 'cook_out_of_memory'
  | 'cook_too_many_processes'
  | 'cook_output_too_long'
  | 'cook_step_failed'
  | 'cook_cancelled';

const kinds: Readonly<Record<CookErrorCode, ErrorKind>> = {
  cook_wall_unavailable: 'unavailable',
  cook_tools_missing: 'unavailable',
  cook_no_package_source: 'unavailable',
  cook_packages_unavailable: 'unavailable',
  cook_packages_unknown: 'invalid_input',
  cook_packages_conflict: 'invalid_input',
  cook_no_space: 'unavailable',
  cook_disk_full: 'limit',
  cook_tool_too_slow: 'unavailable',
  cook_out_of_time: 'limit',
  cook_out_of_memory: 'limit',
  cook_too_many_processes: 'limit',
  cook_output_too_long: 'limit',
  cook_step_failed: 'internal',
  cook_cancelled: 'conflict',
};

/** A refusal of the cook. `message` says what to do next. */
export function cookError(
  code: CookErrorCode,
  message: string,
  more: { fields?: readonly FieldProblem[]; details?: Record<string, unknown>; cause?: unknown } = {},
): DomainError {
  return new DomainError(kinds[code], code, message, more);
}

/** @throws DomainError `cook_cancelled` when the signal was given already */
export function refuseCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw cookError('cook_cancelled', 'The cook was cancelled.');
}
