export type { Adoption } from './adoption/adopt-disk.ts';
export { type ConvertedDisk, type ConvertOptions, convertDisk } from './convert-disk.ts';
export {
  DEFAULT_DISK_LIMITS,
  DISK_FORMATS,
  type DiskFacts,
  type DiskFormat,
  type DiskLimits,
  type InspectedFile,
  type MachineHints,
  type SingleDiskFormat,
} from './disk-facts.ts';
export { DISK_FILE_ERROR_CODES, type DiskFileErrorCode } from './disk-files.errors.ts';
export { type FetchLimits, type FetchOptions, fetchableUrl, fetchDisk } from './fetch/fetch-disk.ts';
export { type AddressPolicy, isPublicAddress } from './fetch/public-addresses.ts';
export type { DiskContents } from './guest/contents.ts';
export type { BootWays, FileSystem } from './guest/find-boot.ts';
export type { Driver, GuestSystem } from './guest/find-guest.ts';
export { type InspectOptions, inspectDisk } from './inspect-disk.ts';
export { lookWithin } from './look-within.ts';
