import { DomainError, type ErrorKind, type FieldProblem } from '#libs/kernel';

export type CookErrorCode =
  | 'cook_needs_root'
  | 'cook_tools_missing'
  | 'cook_no_package_source'
  | 'cook_packages_unavailable'
  | 'cook_disk_full'
  | 'cook_step_failed'
  | 'cook_cancelled';

const kinds: Readonly<Record<CookErrorCode, ErrorKind>> = {
  cook_needs_root: 'forbidden',
  cook_tools_missing: 'unavailable',
  cook_no_package_source: 'unavailable',
  cook_packages_unavailable: 'unavailable',
  cook_disk_full: 'unavailable',
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
