import type { Firmware } from './devices.ts';

/** How a host runs its guests: in hardware, or (slowly) by emulation. */
export type DomainType = 'kvm' | 'qemu';

/** In place of the URI of a host that is gone for good: nothing is sent anywhere. */
export const LOST_URI = 'lost:';

/** What a driver needs to know of a host to work on it. A plain copy of the host's row. */
export interface HostRef {
  readonly id: number;
  readonly name: string;
  /** libvirt URI (`qemu+ssh://root@kvm7/system`, `qemu+unix:///system?socket=…`), `simulated:NAME` or `LOST_URI`. */
  readonly uri: string;
  readonly domainType: DomainType;
  /** Pool of golden images; may be the same as `diskPool`. */
  readonly imagePool: string;
  /** Pool of the servers' own disks and seeds. */
  readonly diskPool: string;
  /** Linux bridge on the host which guests' network cards join. */
  readonly bridge: string;
}

export interface PoolFacts {
  readonly name: string;
  readonly capacityBytes: number;
  readonly freeBytes: number;
}

/** Where a host's pools lie, as disks name what they stand on, and what is marked in its disk pool. */
export interface StorageFacts {
  /** Absolute paths on the host; empty where a pool's volumes are no files. */
  readonly diskPoolPath: string;
  readonly imagePoolPath: string;
  readonly marks: readonly string[];
}

/** What was found on a host, at the time of asking. */
export interface HostFacts {
  readonly libvirtVersion: string;
  readonly hypervisorVersion: string;
  readonly hostUuid: string;
  readonly hostname: string;
  /** As libvirt writes it: `x86_64`, `aarch64`. */
  readonly architecture: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly firmwares: readonly Firmware[];
  readonly imagePool: PoolFacts;
  readonly diskPool: PoolFacts;
}

/** What the probe guest showed. `reason` is a sentence for the operator, also where KVM works. */
export interface Acceleration {
  readonly domainType: DomainType;
  readonly reason: string;
}
