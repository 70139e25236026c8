import type { Environment } from '#libs/config';
import { gibToBytes } from '#libs/kernel';

/** What may be brought along, and for how long it may take. */
export interface ImportSettings {
  readonly maxFileBytes: number;
  readonly maxDiskBytes: number;
  readonly perProject: number;
  readonly uploadKeepHours: number;
  readonly fetchTimeoutSeconds: number;
  readonly currency: string;
}

/** Nest token of the ImportSettings. */
export const IMPORT_SETTINGS = Symbol('ImportSettings');

const FETCH_TIMEOUT_SECONDS = 6 * 3600;

export type ImportVariables = Pick<
  Environment,
  | 'SERVERY_CURRENCY'
  | 'SERVERY_IMPORTS_DIR'
  | 'SERVERY_IMPORT_MAX_FILE_GIB'
  | 'SERVERY_IMPORT_MAX_DISK_GIB'
  | 'SERVERY_IMPORTS_PER_PROJECT'
  | 'SERVERY_UPLOAD_KEEP_HOURS'
>;

export function importSettings(environment: ImportVariables): ImportSettings {
  return {
    maxFileBytes: gibToBytes(environment.SERVERY_IMPORT_MAX_FILE_GIB),
    maxDiskBytes: gibToBytes(environment.SERVERY_IMPORT_MAX_DISK_GIB),
    perProject: environment.SERVERY_IMPORTS_PER_PROJECT,
    uploadKeepHours: environment.SERVERY_UPLOAD_KEEP_HOURS,
    fetchTimeoutSeconds: FETCH_TIMEOUT_SECONDS,
    currency: environment.SERVERY_CURRENCY,
  };
}
