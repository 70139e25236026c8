export type ImageFormat = 'qcow2' | 'raw';

/** A golden image as a file on this machine, to be brought to a host. */
export interface ImageFile {
  readonly volumeName: string;
  /** Absolute path of the file on this machine. */
  readonly path: string;
  /** Never probed: a disk's own header is not believed about its format. */
  readonly format: ImageFormat;
  /** SHA-256 of the file, 64 hex digits in lower case. */
  readonly sha256: string;
  /** Size of the disk inside the file, in bytes. */
  readonly virtualSizeBytes: number;
}

/** A golden image that is whole on a host. */
export interface ImageFacts {
  readonly volumeName: string;
  readonly sha256: string;
  readonly virtualSizeBytes: number;
}

/** Bytes sent so far of all bytes to send. */
export type OnProgress = (sentBytes: number, totalBytes: number) => void;
