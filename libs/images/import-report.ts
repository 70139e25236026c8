import type { BootWays, FileSystem, GuestSystem } from '#libs/disk-files';

/** What was found in a file that became an image. What a description promises is a hint, never a fact. */
export interface ImportReport {
  readonly format: string;
  /** Disks in the file; the first one became the image. */
  readonly diskCount: number;
  readonly partitionTable: 'mbr' | 'gpt' | null;
  /** What the description of the machine asked for, where there was one. */
  readonly machine: {
    readonly name: string | null;
    readonly cpus: number | null;
    readonly memoryMib: number | null;
    readonly firmware: 'bios' | 'efi' | null;
    readonly operatingSystem: string | null;
  } | null;
  /** Null: the disk could not be looked into. */
  readonly boot: BootWays | null;
  readonly fileSystems: readonly FileSystem[];
  /** What its file system says of the system within; null where none that is known was found. */
  readonly guest: GuestSystem | null;
  /** Keys that were written into it for its root. */
  readonly sshKeys: number;
  /** What the owner should know before they order, in sentences. */
  readonly notes: readonly string[];
}
