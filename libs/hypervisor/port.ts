import type { Duplex } from 'node:stream';

/** How a host runs its guests: in hardware, or (slowly) by emulation. */
export type DomainType = 'kvm' | 'qemu';

/** What a driver needs to know of a host to work on it. A plain copy of the host's row. */
export interface HostRef {
  readonly id: number;
  readonly name: string;
  /** libvirt URI (`qemu+ssh://root@kvm7/system`, `qemu+unix:///system?socket=…`) or `simulated:NAME`. */
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

/** What starts a guest. `uefi` is OVMF, which a host may lack. */
export type Firmware = 'bios' | 'uefi';

/** What a guest finds its disk and its network on; it has to have the drivers. */
export interface Devices {
  readonly firmware: Firmware;
  /** Of its disk and its seed. `ide` comes with the older machine that has it (i440FX). */
  readonly diskBus: 'virtio' | 'sata' | 'ide';
  /** `e1000e` is its forerunner e1000 on the older machine, which has no PCI Express. */
  readonly nicModel: 'virtio' | 'e1000e';
}

/** What our own images start on. */
export const OUR_DEVICES: Devices = { firmware: 'bios', diskBus: 'virtio', nicModel: 'virtio' };

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

/** A YAML document as data; drivers write it through a YAML serializer only. */
export type YamlDocument = Readonly<Record<string, unknown>>;

/** The NoCloud seed: what cloud-init reads at first boot. May hold secrets, hence `detachSeed`. */
export interface SeedSpec {
  readonly volumeName: string;
  /** Data becomes a `#cloud-config` document; a string (see `composeUserData`) goes in as it is. */
  readonly userData: YamlDocument | string;
  /** Defaults: cloud-init takes what user data does not say. */
  readonly vendorData?: YamlDocument;
  /** Must carry `instance-id`. */
  readonly metaData: YamlDocument & { readonly 'instance-id': string };
  /** cloud-init network configuration, version 2, without the outer `network:` key. */
  readonly networkConfig: YamlDocument;
  /** Further files by name, as they are: for guests that have no cloud-init. */
  readonly files?: Readonly<Record<string, string>>;
}

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
  readonly owner: { readonly serverId: number; readonly installationId: string } | null;
  /** True when the mark is this installation's. */
  readonly ours: boolean;
  /** Names of the volumes among its disks, in the order of the disks; an ISO image is none of them. */
  readonly volumes: readonly string[];
  readonly network: NetworkState;
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

export interface VolumeFacts {
  readonly name: string;
  /** Size that a guest sees. */
  readonly capacityBytes: number;
  /** Space taken in the pool. */
  readonly allocationBytes: number;
}

/**
 * `released`: the guest let go, the seed is erased and deleted. `held`: the guest did not let go; the seed is
 * erased, gone from the domain's definition, and its empty volume can be deleted once the domain has stopped.
 */
export type SeedDetachment = 'released' | 'held';

export interface AgentExecOptions {
  readonly timeoutSeconds: number;
  /** Its standard input, which is empty unless told; at most 1 MiB. */
  readonly input?: string;
}

export interface AgentExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * One fleet of hosts, whatever runs them. Every method names its object by an id which the caller made before,
 * so each may be repeated after a crash, and by two at once, with the same outcome as once. All fail with
 * HypervisorError and nothing else; a host that hangs ends in `host_timeout`, never in a call that hangs.
 * A driver changes or deletes only domains that carry this installation's mark.
 */
export interface Hypervisor {
  /** @throws host_unreachable, host_misconfigured (a pool or the bridge is not there) */
  inspectHost(host: HostRef): Promise<HostFacts>;

  /**
   * Boots a probe guest under KVM and waits until it has really run, for a device file proves nothing.
   * Falls back to emulation with the reason. Leaves nothing on the host. Takes up to 45 s.
   * @throws host_misconfigured where not even emulation runs it
   */
  probeAcceleration(host: HostRef): Promise<Acceleration>;

  /** Looks anew, so that marks that another host has made on the same storage are seen. */
  inspectStorage(host: HostRef): Promise<StorageFacts>;
  /**
   * Puts a mark into the disk pool: an empty volume that is none of `listVolumes`. Being there is success.
   * @throws pool_full, invalid_spec (letters, digits and `-`, at most 80)
   */
  markStorage(host: HostRef, mark: string): Promise<void>;
  /** Absent is success. */
  unmarkStorage(host: HostRef, mark: string): Promise<void>;

  /**
   * Brings an image into the image pool; does nothing where it is already whole there with the same checksum.
   * A half upload is never seen by `listImages` or `createOverlay`, and the next import starts it anew.
   * @throws image_corrupt, pool_full, volume_exists_foreign (same name, other checksum)
   */
  importImage(host: HostRef, image: ImageFile, onProgress?: OnProgress): Promise<void>;
  listImages(host: HostRef): Promise<readonly ImageFacts[]>;
  /**
   * Brings the bytes of an image from the image pool to a file of this machine, as `downloadVolume` does.
   * @throws image_missing (half uploads too), pool_full (this machine's disk)
   */
  downloadImage(host: HostRef, volumeName: string, toPath: string, options?: CopyOptions): Promise<void>;
  /** Also clears half uploads of this name. @throws image_in_use while an overlay stands on it */
  deleteImage(host: HostRef, volumeName: string): Promise<void>;

  /**
   * A copy-on-write disk on an image, or on a frozen disk, which nothing writes to from then on.
   * @throws image_missing, volume_missing, volume_in_use (a domain writes to it), disk_too_small, pool_full,
   * volume_exists_foreign
   */
  createOverlay(host: HostRef, overlay: OverlaySpec): Promise<void>;
  /** Writes the seed disk; a repeat writes it again. @throws pool_full, invalid_spec */
  createSeed(host: HostRef, seed: SeedSpec): Promise<void>;
  /**
   * Absent is success. `wipe` overwrites first.
   * @throws volume_in_use while a domain has it, or another disk stands on it
   */
  deleteVolume(host: HostRef, volumeName: string, options?: { readonly wipe?: boolean }): Promise<void>;
  /** Volumes of one of the host's pools, marks of ours left out. */
  listVolumes(host: HostRef, pool: 'images' | 'disks'): Promise<readonly VolumeFacts[]>;

  /**
   * Makes a disk of its own for what an owner keeps. One of that name and at least that size is left as it is, with all
   * that is on it; one whose making was cut off is made anew.
   * @throws pool_full, volume_exists_foreign (smaller, or standing on another), host_misconfigured (this machine cannot make
   * the file system)
   */
  createVolume(host: HostRef, volume: BlockVolumeSpec): Promise<void>;
  /**
   * Gives a domain the volume, for good: at once where it runs, and whenever it is started. Having it is success.
   * @throws domain_missing, volume_missing, volume_in_use (another domain has it, or this one has its slot taken)
   */
  attachVolume(host: HostRef, uuid: string, volume: AttachedVolume): Promise<void>;
  /**
   * Takes a volume from a domain, as pulling its cable does; what is on it stays. Success where the domain does not have
   * it, or is not there. @throws volume_in_use while the guest holds it
   */
  detachVolume(host: HostRef, uuid: string, volumeName: string): Promise<void>;
  /**
   * Puts an ISO image of the image pool into the CD drive of a domain: at once where it runs, and whenever it is started.
   * The guest only reads it, and it is tried before the domain's own disk at the next boot. Having it is success.
   * @throws domain_missing, image_missing, volume_in_use (another one is in the drive)
   */
  insertIso(host: HostRef, uuid: string, volumeName: string): Promise<void>;
  /**
   * Takes the ISO image from the CD drive, and the drive with it. Success where there is none, or no domain.
   * @throws volume_in_use while the guest holds it
   */
  ejectIso(host: HostRef, uuid: string): Promise<void>;
  /**
   * Makes a disk or a volume larger, under a guest that writes to it where its domain is named; that guest sees it at once.
   * What was added reads as zeros. One that is so large, or larger, stays as it is: none ever shrinks. What it stands on
   * is not touched.
   * @throws volume_missing, volume_in_use (a guest that is not named runs on it), invalid_spec, pool_full
   */
  growVolume(host: HostRef, spec: GrowSpec): Promise<void>;

  /**
   * Makes a volume in the disk pool that stands on no other. A volume of that name which is whole is left as it
   * is; half a copy is never taken for a whole one, and made anew. Lasts as long as it moves on; progress is in
   * bytes of the copy, of the size that a guest sees, and may end early.
   * @throws volume_missing, volume_in_use (a running guest writes to the source, or the host to the copy), pool_full
   */
  flattenVolume(host: HostRef, copy: VolumeCopy, options?: CopyOptions): Promise<void>;
  /**
   * Brings the bytes of a volume of the disk pool to a file of this machine, holes as holes, readable by us alone.
   * `toPath` is replaced when all of it has arrived, and not touched before. Lasts as long as it moves on.
   * @throws volume_missing (half copies too), pool_full (this machine's disk)
   */
  downloadVolume(host: HostRef, volumeName: string, toPath: string, options?: CopyOptions): Promise<void>;
  /**
   * Brings a volume from another host's disk pool into this one's: through this machine, on whose disk nothing of it is
   * written. What the host has under that name is replaced; half a copy is never taken for a whole one, and made anew.
   * Lasts as long as it moves on. Nobody may write to the volume meanwhile.
   * @throws volume_missing (half copies too), volume_in_use (a domain has the volume), pool_full
   */
  copyVolume(host: HostRef, copy: HostCopy, options?: CopyOptions): Promise<void>;

  /**
   * Defines, or redefines what is ours; its network is as the spec says then, whenever it is started next.
   * @throws domain_exists_foreign, invalid_spec, volume_missing, firmware_missing
   */
  defineDomain(host: HostRef, spec: DomainSpec): Promise<void>;
  /** Forgets the domain; absent is success; its disks stay. A running one is stopped by force first. */
  undefineDomain(host: HostRef, uuid: string): Promise<void>;
  domainState(host: HostRef, uuid: string): Promise<DomainState>;
  listDomains(host: HostRef): Promise<readonly DomainFacts[]>;

  /**
   * Running is success. `paused`: it is there with its disk, and not one instruction of its guest is run until it is
   * destroyed. @throws domain_missing, volume_missing, host_out_of_memory
   */
  startDomain(host: HostRef, uuid: string, options?: { readonly paused?: boolean }): Promise<void>;
  /** Presses the power button and does not wait; off is success. */
  shutdownDomain(host: HostRef, uuid: string): Promise<void>;
  /** Asks the guest to reboot and does not wait. @throws domain_not_running */
  rebootDomain(host: HostRef, uuid: string): Promise<void>;
  /** Presses the reset button. @throws domain_not_running */
  resetDomain(host: HostRef, uuid: string): Promise<void>;
  /** Pulls the plug; off or absent is success. */
  destroyDomain(host: HostRef, uuid: string): Promise<void>;

  /**
   * Opens, isolates or unplugs the network cards of a domain: at once where it runs, and for whenever it is started.
   * Connections that stand when a guest is isolated are not cut.
   * @throws domain_missing
   */
  setNetwork(host: HostRef, uuid: string, network: NetworkState): Promise<void>;

  /**
   * What a domain's disk holds at one moment stays in `frozenVolume` for good, and the domain goes on in an overlay
   * on it. A guest that runs goes on running; its file systems are quiesced by the guest agent where that answers.
   * `defineDomain` with the next volume comes after it; where the domain is off, that is what makes it go on there.
   * A repeat, which cannot know any more, says `crash`. With its memory the disk is as after a power loss, for the rest is
   * in memory; a guest that is off has none to keep.
   * @throws domain_missing, volume_missing, pool_full, volume_exists_foreign, domain_has_other_disks (with its memory)
   */
  freezeDisk(host: HostRef, uuid: string, spec: FreezeSpec): Promise<Frozen>;

  /**
   * Lets a domain that is off go on from what was kept of its memory, on a disk as it was at that moment: no boot comes,
   * and its network is as it is defined now. Success where it runs on that disk.
   * @throws domain_missing, volume_missing, memory_of_another_size
   */
  resumeDomain(host: HostRef, uuid: string, spec: ResumeSpec): Promise<void>;

  /**
   * Brings into a domain's disk what the layers hold that lie between it and the lowest one, while the guest runs or is paused;
   * afterwards it stands on the lowest alone. Begins that, or tells how far it is: ask until it is `merged`.
   * @throws domain_missing
   */
  mergeLayers(host: HostRef, uuid: string): Promise<Merge>;

  /**
   * How many bytes of its disk the guest has read since it was started, its boot loader included.
   * @throws domain_missing, domain_not_running
   */
  diskReadBytes(host: HostRef, uuid: string): Promise<number>;

  /** What the running domains of a host have used, whoever's they are, in one call. Those that are off are left out. */
  sampleDomains(host: HostRef): Promise<readonly DomainSample[]>;

  /**
   * The bytes of a running domain's serial port, or of its screen as an RFB server that asks for no password. It lasts until
   * either side ends it or the domain stops. What is not read is held back, in the guest at last. A domain has one of each
   * kind, and nobody's is taken away: one that was just ended is waited for.
   * @throws domain_missing, domain_not_running, console_missing, console_busy
   */
  openConsole(host: HostRef, uuid: string, kind: ConsoleKind): Promise<Duplex>;

  /** Takes the seed disk from the domain, erases it and deletes it. Success where that was done before. */
  detachSeed(host: HostRef, uuid: string, volumeName: string): Promise<SeedDetachment>;

  /** True when the guest agent answers within a few seconds; false in every other case of a reachable host. */
  agentPing(host: HostRef, uuid: string): Promise<boolean>;
  /**
   * Runs a program in the guest, without a shell, as root. The exit code is the program's (128 + signal where
   * it was killed). What it reads as `input` stands in no argument list, log or error, here and there.
   * @throws agent_not_answering, also when the program outlives `timeoutSeconds`
   */
  agentExec(
    host: HostRef,
    uuid: string,
    argv: readonly [string, ...string[]],
    options: AgentExecOptions,
  ): Promise<AgentExecResult>;
  /**
   * Sets a user's password through the guest agent. It stands in no argument list, log or error.
   * @throws agent_not_answering, agent_refused, invalid_spec (empty, or with control characters)
   */
  agentSetPassword(host: HostRef, uuid: string, user: string, password: string): Promise<void>;
}

/** Nest token of the Hypervisor. */
export const HYPERVISOR = Symbol('Hypervisor');

export interface HttpAnswer {
  readonly status: number;
  /** At most the first 64 KiB. */
  readonly body: string;
}

/**
 * How the worker looks at a guest from outside, over the network, as its owner would: directly, or through a
 * proxy where the guests' network is not ours. Failures of the way there are `null`, for callers poll.
 */
export interface GuestReach {
  /**
   * The guest's ed25519 SSH host key as `ssh-ed25519 AAAA…`, proven by a key exchange; null while nothing
   * answers, or what answers has no such key.
   */
  readSshHostKey(host: HostRef, address: string, port: number): Promise<string | null>;
  /** One GET; null while nothing answers within `timeoutSeconds` (default 5). Redirects are not followed. */
  httpGet(
    host: HostRef,
    address: string,
    port: number,
    path: string,
    options?: { readonly timeoutSeconds?: number },
  ): Promise<HttpAnswer | null>;
  /** True when the port takes a TCP connection. */
  tcpOpen(host: HostRef, address: string, port: number): Promise<boolean>;
}

/** Nest token of the GuestReach. */
export const GUEST_REACH = Symbol('GuestReach');
