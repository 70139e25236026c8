import {
  type ConvertedDisk,
  type ConvertOptions,
  convertDisk,
  type DiskContents,
  type DiskFormat,
  type FetchLimits,
  type FetchOptions,
  fetchDisk,
  type InspectedFile,
  type InspectOptions,
  inspectDisk,
  lookWithin,
} from '#libs/disk-files';

/** All that touches the bytes of a file that came from outside. */
export interface DiskTools {
  fetch(
    url: string,
    to: string,
    limits: FetchLimits,
    options?: FetchOptions,
  ): Promise<{ readonly bytes: number }>;
  inspect(path: string, format: DiskFormat, options?: InspectOptions): Promise<InspectedFile>;
  convert(options: ConvertOptions): Promise<ConvertedDisk>;
  lookWithin(path: string, signal?: AbortSignal): Promise<DiskContents | null>;
}

/** Nest token of the DiskTools. */
export const DISK_TOOLS = Symbol('DiskTools');

/** The real ones: in the sandbox, and to public addresses alone. */
export const sandboxedTools: DiskTools = {
  fetch: fetchDisk,
  inspect: inspectDisk,
  convert: convertDisk,
  lookWithin,
};
