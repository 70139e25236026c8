/** File systems that volumes are made with. */
export const FILE_SYSTEMS = ['ext4', 'xfs'] as const;
export type FileSystem = (typeof FILE_SYSTEMS)[number];

/** A disk that holds what its owner keeps on it, apart from any server. */
export interface BlockVolumeSpec {
  readonly volumeName: string;
  readonly sizeGib: number;
  /** The file system that fills it from the start; it is empty unless told. */
  readonly format?: FileSystem;
}

/** A volume among the disks of a domain, whose own disk is on virtio. */
export interface AttachedVolume {
  readonly volumeName: string;
  /** Digits. Linux finds the disk by it, as `/dev/disk/by-id/scsi-0HC_Volume_<serial>`. */
  readonly serial: string;
  /** Its place on the controller of the volumes, from 0; no two of a domain have the same. */
  readonly slot: number;
}

/** `domainUuid`: the domain that has it, if any. */
export interface GrowSpec {
  readonly volumeName: string;
  readonly sizeGib: number;
  readonly domainUuid?: string;
}

/** How many volumes a domain can have at once. */
export const VOLUME_SLOTS = 16;
