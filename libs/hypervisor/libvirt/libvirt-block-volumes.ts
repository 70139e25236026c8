import { gibToBytes } from '#libs/kernel';
import { HypervisorError } from '../hypervisor.errors.ts';
import type { AttachedVolume, BlockVolumeSpec, FileSystem, GrowSpec } from '../port/block-volumes.ts';
import type { CopyOptions, HostCopy } from '../port/disks.ts';
import type { HostRef } from '../port/hosts.ts';
import {
  checkAttachedVolume,
  checkBlockVolumeSpec,
  checkGrowSpec,
  checkHostCopy,
  checkUuid,
  checkVolumeName,
} from '../specs.ts';
import { type DomainRecord, volumeDiskXml } from './domain-xml.ts';
import { makeFileSystem } from './file-system-file.ts';
import { Gate } from './gate.ts';
import { HotPlug } from './hot-plug.ts';
import { isMark, partMark } from './image-marks.ts';
import type { LibvirtDomains } from './libvirt-domains.ts';
import type { LibvirtVolumes } from './libvirt-volumes.ts';
import { makeMark, makeVolume } from './make-volume.ts';
import { listPool, refreshPool } from './pool-listing.ts';
import { watchProgress } from './progress-watch.ts';
import type { Virsh } from './virsh.ts';
import { pipeVolume } from './volume-pipe.ts';

const UPLOAD_TIMEOUT_SECONDS = 3600;
/** Whole disks that are brought to other hosts at once: more of them would be slower for all. */
const COPIES_AT_ONCE = 2;

interface BlockSettings {
  /** How long a guest gets to let go of a volume. */
  readonly releaseSeconds: number;
  /** How long a copy may stand still. */
  readonly copyStallSeconds: number;
}

/** Disks that owners keep apart from servers, and the domains that have them. */
export class LibvirtBlockVolumes {
  private readonly virsh: Virsh;
  private readonly domains: LibvirtDomains;
  private readonly volumes: LibvirtVolumes;
  private readonly plug: HotPlug;
  private readonly stallSeconds: number;
  private readonly copies = new Gate(COPIES_AT_ONCE);

  constructor(virsh: Virsh, domains: LibvirtDomains, volumes: LibvirtVolumes, settings: BlockSettings) {
    this.virsh = virsh;
    this.domains = domains;
    this.volumes = volumes;
    this.plug = new HotPlug(virsh, settings.releaseSeconds);
    this.stallSeconds = settings.copyStallSeconds;
  }

  async create(host: HostRef, volume: BlockVolumeSpec): Promise<void> {
    checkBlockVolumeSpec(volume);
    const { volumeName, sizeGib, format } = volume;
    refuseMark(volumeName);
    await refreshPool(this.virsh, host, host.diskPool);
    if (await this.isWhole(host, volumeName))
      return this.volumes.needOwn(host, volumeName, gibToBytes(sizeGib));
    if (format) return this.bringFormatted(host, volumeName, gibToBytes(sizeGib), format);
    await this.make(host, volumeName, gibToBytes(sizeGib));
    await this.volumes.remove(host, partMark(volumeName));
  }

  async copy(host: HostRef, copy: HostCopy, options: CopyOptions): Promise<void> {
    checkHostCopy(copy);
    const { volumeName, from, fromVolumeName } = copy;
    refuseMark(volumeName);
    await refreshPool(this.virsh, from, from.diskPool);
    if (!(await this.isWhole(from, fromVolumeName))) throw missing(from, fromVolumeName);
    const user = await this.domains.userOf(from, from.diskPool, fromVolumeName);
    if (user !== undefined) throw inUse(from, fromVolumeName, user);
    const { capacityBytes, fileBytes } = await this.volumes.sizesOf(from, fromVolumeName);
    await refreshPool(this.virsh, host, host.diskPool);
    await this.volumes.deleteVolume(host, volumeName);
    await this.copies.pass(() =>
      this.bringWhole(host, volumeName, capacityBytes, () => this.send(host, copy, fileBytes, options)),
    );
  }

  async attach(host: HostRef, uuid: string, volume: AttachedVolume): Promise<void> {
    checkUuid(uuid);
    checkAttachedVolume(volume);
    const { name } = await this.domains.need(host, uuid);
    if (!(await this.volumes.exists(host, volume.volumeName))) throw missing(host, volume.volumeName);
    const user = await this.domains.userOf(host, host.diskPool, volume.volumeName);
    if (user !== undefined && user !== name) throw inUse(host, volume.volumeName, user);
    await this.plug.in(host, uuid, (record) =>
      targetOf(record, volume.volumeName) === undefined ? volumeDiskXml(host.diskPool, volume) : undefined,
    );
  }

  async detach(host: HostRef, uuid: string, volumeName: string): Promise<void> {
    checkUuid(uuid);
    checkVolumeName(volumeName);
    if (!(await this.domains.own(host, uuid))) return;
    await this.plug.out(host, uuid, (record) => targetOf(record, volumeName));
  }

  async grow(host: HostRef, spec: GrowSpec): Promise<void> {
    checkGrowSpec(spec);
    const { volumeName, sizeGib, domainUuid } = spec;
    const sizeBytes = gibToBytes(sizeGib);
    await refreshPool(this.virsh, host, host.diskPool);
    if ((await this.volumes.capacityOf(host, volumeName)) >= sizeBytes) return;
    if (domainUuid !== undefined && (await this.growUnder(host, domainUuid, volumeName, sizeBytes))) return;
    const args = ['vol-resize', '--pool', host.diskPool, '--vol', volumeName, '--capacity', `${sizeBytes}B`];
    await this.virsh.run(host, args);
  }

  /** True where the guest runs with it: QEMU has the file then, and nobody else may touch it. */
  private async growUnder(host: HostRef, uuid: string, volumeName: string, bytes: number): Promise<boolean> {
    const state = await this.domains.state(host, uuid);
    if (state !== 'running' && state !== 'paused') return false;
    const target = targetOf(await this.domains.need(host, uuid), volumeName);
    if (target === undefined) return false;
    const args = ['blockresize', '--domain', uuid, '--path', target, '--size', `${bytes}B`];
    await this.virsh.run(host, args);
    await refreshPool(this.virsh, host, host.diskPool);
    return true;
  }

  private async isWhole(host: HostRef, volumeName: string): Promise<boolean> {
    const names = (await listPool(this.virsh, host, host.diskPool)).map(({ name }) => name);
    return names.includes(volumeName) && !names.includes(partMark(volumeName));
  }

  /**
   * Its mark stands until all of it is there: what is cut off is made anew. It is made as what it will be, for libvirt knows
   * its size then however soon it looks at the pool again.
   */
  private async bringWhole(
    host: HostRef,
    volumeName: string,
    capacityBytes: number,
    fill: () => Promise<unknown>,
  ): Promise<void> {
    await makeMark(this.virsh, host, host.diskPool, partMark(volumeName));
    await this.volumes.remove(host, volumeName);
    await this.make(host, volumeName, capacityBytes);
    await this.volumes.needOwn(host, volumeName, capacityBytes);
    await fill();
    await this.volumes.remove(host, partMark(volumeName));
  }

  private async bringFormatted(
    host: HostRef,
    volumeName: string,
    capacityBytes: number,
    format: FileSystem,
  ): Promise<void> {
    const file = await makeFileSystem(format, capacityBytes);
    const args = ['vol-upload', '--pool', host.diskPool, '--vol', volumeName, '--file', file.path];
    const fill = () => this.virsh.run(host, args, { timeoutSeconds: UPLOAD_TIMEOUT_SECONDS });
    await this.bringWhole(host, volumeName, capacityBytes, fill).finally(() => file.remove());
  }

  /** Both streams ended well; the host must now also see as many bytes, of a disk that stands on no other. */
  private async send(host: HostRef, copy: HostCopy, fileBytes: number, options: CopyOptions): Promise<void> {
    const { volumeName, from, fromVolumeName } = copy;
    let sent = 0;
    await watchProgress(
      { host: from, what: `Copying ${fromVolumeName}`, stallSeconds: this.stallSeconds, ...options },
      async () => sent,
      fileBytes,
      (signal) => {
        const onSent = (bytes: number) => {
          sent = bytes;
        };
        const ends = [
          { host: from, volumeName: fromVolumeName },
          { host, volumeName },
        ] as const;
        return pipeVolume(this.virsh, ...ends, { signal, onSent });
      },
    );
    await refreshPool(this.virsh, host, host.diskPool);
    const arrived = await this.volumes.sizesOf(host, volumeName);
    if (arrived.fileBytes < fileBytes) {
      const message = `Volume ${fromVolumeName} did not arrive whole on ${host.name}.`;
      throw new HypervisorError('host_unreachable', message, { details: { host: host.name } });
    }
    options.onProgress?.(fileBytes, fileBytes);
  }

  private make(host: HostRef, name: string, capacityBytes: number): Promise<void> {
    const plan = { name, capacityBytes, allocationBytes: 0, format: 'qcow2' } as const;
    return makeVolume(this.virsh, host, host.diskPool, plan);
  }
}

function targetOf({ disks }: DomainRecord, volumeName: string): string | undefined {
  return disks.find(({ volume }) => volume === volumeName)?.target;
}

function refuseMark(volumeName: string): void {
  if (isMark(volumeName)) throw new HypervisorError('invalid_spec', `${volumeName} is the name of a mark.`);
}

function missing(host: HostRef, volumeName: string): HypervisorError {
  return new HypervisorError('volume_missing', `There is no volume ${volumeName} on ${host.name}.`, {
    details: { host: host.name, volume: volumeName },
  });
}

function inUse(host: HostRef, volumeName: string, domain: string): HypervisorError {
  return new HypervisorError('volume_in_use', `Domain ${domain} on ${host.name} has volume ${volumeName}.`, {
    details: { host: host.name, domain },
  });
}
