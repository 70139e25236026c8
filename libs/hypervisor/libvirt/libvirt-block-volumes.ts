import { gibToBytes } from '#libs/kernel';
import { HypervisorError } from '../hypervisor.errors.ts';
import type { AttachedVolume, BlockVolumeSpec, GrowSpec, HostRef } from '../port.ts';
import {
  checkAttachedVolume,
  checkBlockVolumeSpec,
  checkGrowSpec,
  checkUuid,
  checkVolumeName,
} from '../specs.ts';
import { type DomainRecord, volumeDiskXml } from './domain-xml.ts';
import { makeExt4File } from './ext4-file.ts';
import { HotPlug } from './hot-plug.ts';
import { isMark, partMark } from './image-marks.ts';
import type { LibvirtDomains } from './libvirt-domains.ts';
import type { LibvirtVolumes } from './libvirt-volumes.ts';
import { makeMark, makeVolume } from './make-volume.ts';
import { listPool, refreshPool } from './pool-listing.ts';
import type { Virsh } from './virsh.ts';

const UPLOAD_TIMEOUT_SECONDS = 3600;

/** Disks that owners keep apart from servers, and the domains that have them. */
export class LibvirtBlockVolumes {
  private readonly virsh: Virsh;
  private readonly domains: LibvirtDomains;
  private readonly volumes: LibvirtVolumes;
  private readonly plug: HotPlug;

  constructor(virsh: Virsh, domains: LibvirtDomains, volumes: LibvirtVolumes, releaseSeconds: number) {
    this.virsh = virsh;
    this.domains = domains;
    this.volumes = volumes;
    this.plug = new HotPlug(virsh, releaseSeconds);
  }

  async create(host: HostRef, volume: BlockVolumeSpec): Promise<void> {
    checkBlockVolumeSpec(volume);
    const { volumeName, sizeGib, format } = volume;
    if (isMark(volumeName)) throw new HypervisorError('invalid_spec', `${volumeName} is the name of a mark.`);
    await refreshPool(this.virsh, host, host.diskPool);
    if (await this.isWhole(host, volumeName))
      return this.volumes.needOwn(host, volumeName, gibToBytes(sizeGib));
    if (format === 'ext4') return this.bringFormatted(host, volumeName, gibToBytes(sizeGib));
    await this.make(host, volumeName, gibToBytes(sizeGib));
    await this.volumes.remove(host, partMark(volumeName));
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
  private async bringFormatted(host: HostRef, volumeName: string, capacityBytes: number): Promise<void> {
    const file = await makeExt4File(capacityBytes);
    try {
      await makeMark(this.virsh, host, host.diskPool, partMark(volumeName));
      await this.volumes.remove(host, volumeName);
      await this.make(host, volumeName, capacityBytes);
      await this.volumes.needOwn(host, volumeName, capacityBytes);
      const args = ['vol-upload', '--pool', host.diskPool, '--vol', volumeName, '--file', file.path];
      await this.virsh.run(host, args, { timeoutSeconds: UPLOAD_TIMEOUT_SECONDS });
      await this.volumes.remove(host, partMark(volumeName));
    } finally {
      await file.remove();
    }
  }

  private make(host: HostRef, name: string, capacityBytes: number): Promise<void> {
    const plan = { name, capacityBytes, allocationBytes: 0, format: 'qcow2' } as const;
    return makeVolume(this.virsh, host, host.diskPool, plan);
  }
}

function targetOf({ disks }: DomainRecord, volumeName: string): string | undefined {
  return disks.find(({ volume }) => volume === volumeName)?.target;
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
