import type { Duplex } from 'node:stream';
import type { AttachedVolume, BlockVolumeSpec, GrowSpec } from './block-volumes.ts';
import type {
  CopyOptions,
  FreezeSpec,
  Frozen,
  HostCopy,
  Merge,
  OverlaySpec,
  ResumeSpec,
  VolumeCopy,
  VolumeFacts,
} from './disks.ts';
import type {
  ConsoleKind,
  DomainFacts,
  DomainSample,
  DomainSpec,
  DomainState,
  NetworkState,
} from './domains.ts';
import type { AgentExecOptions, AgentExecResult } from './guest-agent.ts';
import type { Acceleration, HostFacts, HostRef, StorageFacts } from './hosts.ts';
import type { ImageFacts, ImageFile, OnProgress } from './images.ts';
import type { SeedDetachment, SeedSpec } from './seeds.ts';

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
