import { memoryBytes } from './byte-source.ts';
import { DEFAULT_DISK_LIMITS, type DiskFormat, type InspectedFile } from './disk-facts.ts';
import { parseDisk } from './parse-disk.ts';

/** The parser in this process, on bytes: for specs and the fuzzer, which need it quick. */
export function parseBytes(bytes: Buffer, format: DiskFormat): InspectedFile {
  return parseDisk(memoryBytes(bytes), format, DEFAULT_DISK_LIMITS);
}
