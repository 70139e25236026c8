import type { HostRef } from './hosts.ts';
import type { ImageFormat, OnProgress } from './images.ts';

/** What an overlay stands on: a golden image, or a disk that was frozen. */
export type OverlayBase = { readonly image: string } | { readonly frozen: string };

export interface OverlaySpec {
  readonly volumeName: string;
  readonly base: OverlayBase;
  /** Size of the disk that the guest sees; at least the base's. */
  readonly sizeGib: number;
}

/** The disk that a domain has, and the one that it goes on with. */
export interface FreezeSpec {
  readonly frozenVolume: string;
  readonly nextVolume: string;
  /** Becomes what a running guest holds in memory at that moment, which can be gone on from. */
  readonly memoryVolume?: string;
}

/** What was kept of a guest's memory, and an overlay on the disk that was frozen with it. */
export interface ResumeSpec {
  readonly memoryVolume: string;
  readonly diskVolume: string;
}

/**
 * How a frozen disk looks to who starts from it: `filesystem` as after a clean sync, `crash` as after a power loss,
 * `as_left` as the guest left it when it was last on. `heldMilliseconds` is the longest that the guest's writes were
 * held up; null where it did not run, or was not measured.
 */
export interface Frozen {
  readonly consistency: 'filesystem' | 'crash' | 'as_left';
  readonly heldMilliseconds: number | null;
  /** Whether its memory was kept with it. */
  readonly hasMemory: boolean;
}

/** `waiting`: the domain is off, and layers are merged only where it runs or is paused. */
export type Merge =
  | { readonly state: 'merged' | 'waiting' }
  | { readonly state: 'merging'; readonly doneBytes: number; readonly totalBytes: number };

export interface VolumeFacts {
  readonly name: string;
  /** Size that a guest sees. */
  readonly capacityBytes: number;
  /** Space taken in the pool. */
  readonly allocationBytes: number;
}

/** A self-contained copy of a disk, to be made. */
export interface VolumeCopy {
  readonly volumeName: string;
  /** May stand on others; all of what it shows is copied. */
  readonly fromVolumeName: string;
  readonly format: ImageFormat;
}

/** A copy of a volume on another host, to be made. */
export interface HostCopy {
  readonly volumeName: string;
  readonly from: HostRef;
  /** Of the disk pool of `from`; it stands on no other. */
  readonly fromVolumeName: string;
}

export interface CopyOptions {
  readonly onProgress?: OnProgress | undefined;
  /** Calls the copy off; it ends in `host_timeout` then. */
  readonly signal?: AbortSignal | undefined;
}
