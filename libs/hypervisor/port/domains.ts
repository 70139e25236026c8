import type { AttachedVolume } from './block-volumes.ts';
import type { Devices } from './devices.ts';

/**
 * What a domain starts from in place of its own disk, which it keeps as its first one. A guest that restarts by itself
 * starts from there again.
 */
export interface RescueSpec {
  readonly diskVolume: string;
  /** None once it is erased. */
  readonly seedVolume?: string;
}

/** A domain as Servery defines it. Bridge and accelerator come from the host. */
export interface DomainSpec extends Devices {
  readonly uuid: string;
  /** Letters, digits, `.`, `_`, `-`; at most 63. Unique on its host. */
  readonly name: string;
  /** Written into the domain's metadata, so that the reconciler knows whose it is. */
  readonly serverId: number;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly diskVolume: string;
  readonly seedVolume?: string;
  /** `52:54:00:12:34:56`; unicast. */
  readonly mac: string;
  /** The one IPv4 address which the guest may send from (network filter `clean-traffic`). */
  readonly ipv4: string;
  /** `open` unless told. */
  readonly network?: NetworkState;
  /** None unless told; on `virtio` alone. */
  readonly volumes?: readonly AttachedVolume[];
  /** None unless told; on `virtio` alone. */
  readonly rescue?: RescueSpec;
  /** An ISO image of the image pool in its CD drive, which it starts from before its own disk; on `virtio` alone. */
  readonly iso?: string;
}

/** `absent`: no domain of this UUID on the host. */
export type DomainState = 'running' | 'off' | 'paused' | 'crashed' | 'absent';

/** A domain found on a host. `owner` is null where it carries no mark of any Servery. */
export interface DomainFacts {
  readonly uuid: string;
  readonly name: string;
  readonly state: Exclude<DomainState, 'absent'>;
  /**
   * It is off, and neither its guest nor anybody else switched it off since it was seen to run: its host lost its power, or
   * QEMU has died. A host that has begun anew says it of all that are off, and libvirt of one that never ran.
   */
  readonly wasCutOff: boolean;
  readonly owner: { readonly serverId: number; readonly installationId: string } | null;
  /** True when the mark is this installation's. */
  readonly ours: boolean;
  /** Names of the volumes among its disks, in the order of the disks; an ISO image is none of them. */
  readonly volumes: readonly string[];
  readonly network: NetworkState;
  /** IPv4: what its network cards may send from. */
  readonly addresses: readonly string[];
}

/** What a domain has used since it was started, as counters that begin anew then. Disk: its own. Network: its first card. */
export interface DomainSample {
  readonly uuid: string;
  /** Of all its vCPUs, and of what its host does for it. */
  readonly cpuMilliseconds: number;
  readonly diskReads: number;
  readonly diskWrites: number;
  readonly diskReadBytes: number;
  readonly diskWrittenBytes: number;
  /** As the guest sees it: what it has received, and sent. */
  readonly packetsIn: number;
  readonly packetsOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
}

/** What is seen of a machine without its system's help: the text of its serial port, or its screen. */
export type ConsoleKind = 'serial' | 'vnc';

/**
 * `isolated`: the guest is reached and answers, and opens no connection itself, but to the addresses that the driver was
 * told to allow. `closed`: its network cards are unplugged, as far as the guest and everybody else can tell.
 */
export type NetworkState = 'open' | 'isolated' | 'closed';
