import { DomainError, type ErrorKind } from '#libs/kernel';

export type ExportFileErrorCode =
  /** The disk is no self-contained qcow2 image. */
  'export_disk_unfit' | 'export_no_space' | 'export_cancelled' | 'export_tool_missing' | 'export_tool_failed';

const kinds: Readonly<Record<ExportFileErrorCode, ErrorKind>> = {
  export_disk_unfit: 'invalid_input',
  export_no_space: 'unavailable',
  export_cancelled: 'conflict',
  export_tool_missing: 'unavailable',
  export_tool_failed: 'internal',
};

/** What kept an export's file from being made. `message` says what to do next. */
export function exportFileError(
  code: ExportFileErrorCode,
  message: string,
  more: { details?: Record<string, unknown>; cause?: unknown } = {},
): DomainError {
  return new DomainError(kinds[code], code, message, more);
}

export function noSpace(cause?: unknown): DomainError {
  return exportFileError('export_no_space', 'There is no room for the export: free some, then try again.', {
    cause,
  });
}

/** @throws DomainError `export_cancelled` when the signal was given already */
export function refuseCancelled(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw exportFileError('export_cancelled', 'The export was cancelled.');
}
