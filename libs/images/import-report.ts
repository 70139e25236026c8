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
  /** What its file system says of the system within; null where none that is known was found. */
  readonly guest: GuestFindings | null;
  /** What the owner should know before they order, in sentences. */
  readonly notes: readonly string[];
}

export interface GuestFindings {
  readonly osId: string | null;
  readonly osVersion: string | null;
  /** A kernel of it can read virtio disks; whether its first stage does is not seen. */
  readonly hasVirtioDisk: boolean;
  readonly hasCloudInit: boolean;
  readonly hasGuestAgent: boolean;
}
