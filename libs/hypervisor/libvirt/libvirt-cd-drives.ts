import { HypervisorError } from '../hypervisor.errors.ts';
import type { HostRef } from '../port/hosts.ts';
import { checkUuid, checkVolumeName } from '../specs.ts';
import { cdDriveXml, type DomainRecord } from './domain-xml.ts';
import { HotPlug } from './hot-plug.ts';
import type { LibvirtDomains } from './libvirt-domains.ts';
import type { Virsh } from './virsh.ts';

/** CD drives of domains: one each, there while an ISO image is in it. */
export class LibvirtCdDrives {
  private readonly domains: LibvirtDomains;
  private readonly plug: HotPlug;

  constructor(virsh: Virsh, domains: LibvirtDomains, releaseSeconds: number) {
    this.domains = domains;
    this.plug = new HotPlug(virsh, releaseSeconds);
  }

  async insert(host: HostRef, uuid: string, volumeName: string): Promise<void> {
    checkUuid(uuid);
    checkVolumeName(volumeName);
    const { name } = await this.domains.need(host, uuid);
    await this.plug.in(host, uuid, (record) => {
      const drive = driveOf(record);
      if (drive === undefined) return cdDriveXml(host.imagePool, volumeName);
      if (drive.volume === volumeName) return undefined;
      const message = `Domain ${name} on ${host.name} has ${drive.volume} in its CD drive.`;
      throw new HypervisorError('volume_in_use', message, { details: { host: host.name, domain: name } });
    });
  }

  async eject(host: HostRef, uuid: string): Promise<void> {
    checkUuid(uuid);
    if (await this.domains.own(host, uuid))
      await this.plug.out(host, uuid, (record) => driveOf(record)?.target);
  }
}

function driveOf({ disks }: DomainRecord): DomainRecord['disks'][number] | undefined {
  return disks.find(({ isCd }) => isCd);
}
