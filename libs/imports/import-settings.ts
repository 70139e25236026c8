import type { Environment } from '#libs/config';
import { gibToBytes } from '#libs/kernel';

/** What may be brought along, and for how long it may take. */
export interface ImportSettings {
  readonly maxFileBytes: number;
  readonly maxDiskBytes: number;
  readonly perProject: number;
  readonly uploadKeepHours: number;
  readonly fetchTimeoutSeconds: number;
  /** How long a guest that its image promises nothing of has to run before that is believed. */
  readonly settleSeconds: number;
  readonly currency: string;
}

/** Nest token of the ImportSettings. */
export const IMPORT_SETTINGS = Symbol('ImportSettings');

const FETCH_TIMEOUT_SECONDS = 6 * 3600;
/** Under emulation, too, cloud-init has read its seed by then. */
const SETTLE_SECONDS = 240;

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
    settleSeconds: SETTLE_SECONDS,
    currency: environment.SERVERY_CURRENCY,
  };
}
