import type { Duplex } from 'node:stream';
import { sleep } from '#libs/kernel';
import type { AttachedVolume, BlockVolumeSpec, GrowSpec } from '../port/block-volumes.ts';
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
} from '../port/disks.ts';
import type {
  ConsoleKind,
  DomainFacts,
  DomainSample,
  DomainSpec,
  DomainState,
  NetworkState,
} from '../port/domains.ts';
import type { AgentExecOptions, AgentExecResult } from '../port/guest-agent.ts';
import type { Acceleration, HostFacts, HostRef, StorageFacts } from '../port/hosts.ts';
import type { Hypervisor } from '../port/hypervisor.ts';
import type { ImageFacts, ImageFile, OnProgress } from '../port/images.ts';
import type { SeedDetachment, SeedSpec } from '../port/seeds.ts';
import { checkVolumeName } from '../specs.ts';
import { probeAcceleration } from './acceleration-probe.ts';
import { sampleDomains } from './domain-samples.ts';
import { inspectHost } from './host-inspection.ts';
import { IsolationFilter } from './isolation-filter.ts';
import { LibvirtBlockVolumes } from './libvirt-block-volumes.ts';
import { LibvirtCdDrives } from './libvirt-cd-drives.ts';
import { LibvirtConsoles } from './libvirt-consoles.ts';
import { LibvirtDomains } from './libvirt-domains.ts';
import { LibvirtGuestAgent } from './libvirt-guest-agent.ts';
import { LibvirtImages } from './libvirt-images.ts';
import { LibvirtLayers } from './libvirt-layers.ts';
import { LibvirtMemory } from './libvirt-memory.ts';
import { LibvirtStorage } from './libvirt-storage.ts';
import { LibvirtVolumeCopies } from './libvirt-volume-copies.ts';
import { LibvirtVolumes } from './libvirt-volumes.ts';
import { Virsh, type VirshSettings } from './virsh.ts';

export interface LibvirtSettings extends VirshSettings {
  /** Written into each domain; only domains that carry it are ever changed. */
  readonly installationId: string;
  /** IPv4 addresses and networks (`203.0.113.0/24`) that isolated guests may connect to; none unless told. */
  readonly isolatedAllows?: readonly string[];
  /** How long a guest gets to let go of its seed disk. */
  readonly releaseSeconds?: number;
  /** How long a copy of a disk, or the upload of an image, may stand still. */
  readonly copyStallSeconds?: number;
}

const RELEASE_SECONDS = 10;
const COPY_STALL_SECONDS = 600;
const RELEASE_PAUSE_MS = 250;

/** The port over libvirt hosts, by virsh. Nothing of ours runs on a host. */
export class LibvirtHypervisor implements Hypervisor, Disposable {
  private readonly virsh: Virsh;
  private readonly domains: LibvirtDomains;
  private readonly images: LibvirtImages;
  private readonly volumes: LibvirtVolumes;
  private readonly storage: LibvirtStorage;
  private readonly blocks: LibvirtBlockVolumes;
  private readonly cdDrives: LibvirtCdDrives;
  private readonly copies: LibvirtVolumeCopies;
  private readonly agent: LibvirtGuestAgent;
  private readonly consoles: LibvirtConsoles;
  private readonly memory: LibvirtMemory;
  private readonly layers: LibvirtLayers;
  private readonly installationId: string;
  private readonly releaseSeconds: number;

  constructor(settings: LibvirtSettings) {
    this.virsh = new Virsh(settings);
    this.installationId = settings.installationId;
    const { installationId, isolatedAllows = [] } = settings;
    const isolation = new IsolationFilter(this.virsh, installationId, isolatedAllows);
    this.domains = new LibvirtDomains(this.virsh, installationId, isolation);
    const copyStallSeconds = settings.copyStallSeconds ?? COPY_STALL_SECONDS;
    this.images = new LibvirtImages(this.virsh, copyStallSeconds);
    this.volumes = new LibvirtVolumes(this.virsh, this.images, this.domains);
    this.storage = new LibvirtStorage(this.virsh, this.volumes);
    const releaseSeconds = settings.releaseSeconds ?? RELEASE_SECONDS;
    const blocks = { releaseSeconds, copyStallSeconds };
    this.blocks = new LibvirtBlockVolumes(this.virsh, this.domains, this.volumes, blocks);
    this.cdDrives = new LibvirtCdDrives(this.virsh, this.domains, releaseSeconds);
    this.copies = new LibvirtVolumeCopies(this.virsh, copyStallSeconds);
    this.agent = new LibvirtGuestAgent(this.virsh, this.domains);
    this.consoles = new LibvirtConsoles(this.domains);
    this.memory = new LibvirtMemory(this.virsh, this.domains, this.volumes);
    this.layers = new LibvirtLayers(this.virsh, this.domains, this.volumes, this.agent, this.memory);
    this.releaseSeconds = releaseSeconds;
  }

  [Symbol.dispose](): void {
    this.virsh[Symbol.dispose]();
  }

  inspectHost(host: HostRef): Promise<HostFacts> {
    return inspectHost(this.virsh, host);
  }

  probeAcceleration(host: HostRef): Promise<Acceleration> {
    return probeAcceleration(this.virsh, host, this.installationId);
  }

  inspectStorage(host: HostRef): Promise<StorageFacts> {
    return this.storage.inspect(host);
  }

  markStorage(host: HostRef, mark: string): Promise<void> {
    return this.storage.mark(host, mark);
  }

  unmarkStorage(host: HostRef, mark: string): Promise<void> {
    return this.storage.unmark(host, mark);
  }

  importImage(host: HostRef, image: ImageFile, onProgress?: OnProgress): Promise<void> {
    return this.images.import(host, image, onProgress);
  }

  listImages(host: HostRef): Promise<readonly ImageFacts[]> {
    return this.images.list(host);
  }

  deleteImage(host: HostRef, volumeName: string): Promise<void> {
    return this.images.delete(host, volumeName);
  }

  async downloadImage(
    host: HostRef,
    volumeName: string,
    toPath: string,
    options: CopyOptions = {},
  ): Promise<void> {
    await this.images.find(host, volumeName);
    await this.copies.bring(host, { pool: host.imagePool, volumeName }, toPath, options);
  }

  createOverlay(host: HostRef, overlay: OverlaySpec): Promise<void> {
    return this.volumes.createOverlay(host, overlay);
  }

  createSeed(host: HostRef, seed: SeedSpec): Promise<void> {
    return this.volumes.createSeed(host, seed);
  }

  async deleteVolume(
    host: HostRef,
    volumeName: string,
    options?: { readonly wipe?: boolean },
  ): Promise<void> {
    await this.volumes.deleteVolume(host, volumeName, options);
    await this.copies.forget(host, volumeName);
  }

  createVolume(host: HostRef, volume: BlockVolumeSpec): Promise<void> {
    return this.blocks.create(host, volume);
  }

  attachVolume(host: HostRef, uuid: string, volume: AttachedVolume): Promise<void> {
    return this.blocks.attach(host, uuid, volume);
  }

  detachVolume(host: HostRef, uuid: string, volumeName: string): Promise<void> {
    return this.blocks.detach(host, uuid, volumeName);
  }

  async insertIso(host: HostRef, uuid: string, volumeName: string): Promise<void> {
    await this.images.find(host, volumeName);
    await this.cdDrives.insert(host, uuid, volumeName);
  }

  ejectIso(host: HostRef, uuid: string): Promise<void> {
    return this.cdDrives.eject(host, uuid);
  }

  growVolume(host: HostRef, spec: GrowSpec): Promise<void> {
    return this.blocks.grow(host, spec);
  }

  flattenVolume(host: HostRef, copy: VolumeCopy, options: CopyOptions = {}): Promise<void> {
    return this.copies.flatten(host, copy, options);
  }

  downloadVolume(
    host: HostRef,
    volumeName: string,
    toPath: string,
    options: CopyOptions = {},
  ): Promise<void> {
    return this.copies.download(host, volumeName, toPath, options);
  }

  copyVolume(host: HostRef, copy: HostCopy, options: CopyOptions = {}): Promise<void> {
    return this.blocks.copy(host, copy, options);
  }

  listVolumes(host: HostRef, pool: 'images' | 'disks'): Promise<readonly VolumeFacts[]> {
    return this.volumes.list(host, pool);
  }

  defineDomain(host: HostRef, spec: DomainSpec): Promise<void> {
    return this.domains.define(host, spec);
  }

  undefineDomain(host: HostRef, uuid: string): Promise<void> {
    return this.domains.undefine(host, uuid);
  }

  domainState(host: HostRef, uuid: string): Promise<DomainState> {
    return this.domains.state(host, uuid);
  }

  listDomains(host: HostRef): Promise<readonly DomainFacts[]> {
    return this.domains.list(host);
  }

  startDomain(host: HostRef, uuid: string, options?: { readonly paused?: boolean }): Promise<void> {
    return this.domains.start(host, uuid, options);
  }

  shutdownDomain(host: HostRef, uuid: string): Promise<void> {
    return this.domains.shutdown(host, uuid);
  }

  rebootDomain(host: HostRef, uuid: string): Promise<void> {
    return this.domains.reboot(host, uuid);
  }

  resetDomain(host: HostRef, uuid: string): Promise<void> {
    return this.domains.reset(host, uuid);
  }

  destroyDomain(host: HostRef, uuid: string): Promise<void> {
    return this.domains.destroy(host, uuid);
  }

  setNetwork(host: HostRef, uuid: string, network: NetworkState): Promise<void> {
    return this.domains.setNetwork(host, uuid, network);
  }

  freezeDisk(host: HostRef, uuid: string, spec: FreezeSpec): Promise<Frozen> {
    return this.layers.freeze(host, uuid, spec);
  }

  resumeDomain(host: HostRef, uuid: string, spec: ResumeSpec): Promise<void> {
    return this.memory.resume(host, uuid, spec);
  }

  mergeLayers(host: HostRef, uuid: string): Promise<Merge> {
    return this.layers.merge(host, uuid);
  }

  diskReadBytes(host: HostRef, uuid: string): Promise<number> {
    return this.domains.diskReadBytes(host, uuid);
  }

  sampleDomains(host: HostRef): Promise<readonly DomainSample[]> {
    return sampleDomains(this.virsh, host);
  }

  openConsole(host: HostRef, uuid: string, kind: ConsoleKind): Promise<Duplex> {
    return this.consoles.open(host, uuid, kind);
  }

  /** Erases before it deletes, also where the guest holds on; only a volume which no domain has is deleted. */
  async detachSeed(host: HostRef, uuid: string, volumeName: string): Promise<SeedDetachment> {
    checkVolumeName(volumeName);
    const domain = await this.domains.own(host, uuid);
    const disk = domain?.disks.find((candidate) => candidate.volume === volumeName);
    if (disk) await this.domains.detach(host, uuid, disk.target);
    await this.volumes.erase(host, volumeName);
    const deadline = Date.now() + this.releaseSeconds * 1000;
    while ((await this.domains.userOf(host, host.diskPool, volumeName)) !== undefined) {
      if (Date.now() > deadline) return 'held';
      await sleep(RELEASE_PAUSE_MS);
    }
    await this.volumes.remove(host, volumeName);
    return 'released';
  }

  agentPing(host: HostRef, uuid: string): Promise<boolean> {
    return this.agent.ping(host, uuid);
  }

  agentExec(
    host: HostRef,
    uuid: string,
    argv: readonly [string, ...string[]],
    options: AgentExecOptions,
  ): Promise<AgentExecResult> {
    return this.agent.exec(host, uuid, argv, options);
  }

  agentSetPassword(host: HostRef, uuid: string, user: string, password: string): Promise<void> {
    return this.agent.setPassword(host, uuid, user, password);
  }
}
