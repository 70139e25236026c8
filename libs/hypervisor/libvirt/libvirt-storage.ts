import type { HostRef, StorageFacts } from '../port/hosts.ts';
import { checkStorageMark } from '../specs.ts';
import type { LibvirtVolumes } from './libvirt-volumes.ts';
import { makeMark } from './make-volume.ts';
import { listPool, refreshPool } from './pool-listing.ts';
import { storageMarkName, storageMarkOf } from './storage-marks.ts';
import type { Virsh } from './virsh.ts';
import { XmlElement } from './xml.ts';

/** What tells which storage lies behind a host's disk pool. */
export class LibvirtStorage {
  private readonly virsh: Virsh;
  private readonly volumes: LibvirtVolumes;

  constructor(virsh: Virsh, volumes: LibvirtVolumes) {
    this.virsh = virsh;
    this.volumes = volumes;
  }

  async inspect(host: HostRef): Promise<StorageFacts> {
    await refreshPool(this.virsh, host, host.diskPool);
    const entries = await listPool(this.virsh, host, host.diskPool);
    return {
      diskPoolPath: await this.pathOf(host, host.diskPool),
      imagePoolPath: await this.pathOf(host, host.imagePool),
      marks: entries.flatMap(({ name }) => storageMarkOf(name) ?? []),
    };
  }

  async mark(host: HostRef, mark: string): Promise<void> {
    checkStorageMark(mark);
    await makeMark(this.virsh, host, host.diskPool, storageMarkName(mark));
  }

  async unmark(host: HostRef, mark: string): Promise<void> {
    checkStorageMark(mark);
    await this.volumes.remove(host, storageMarkName(mark));
  }

  private async pathOf(host: HostRef, pool: string): Promise<string> {
    const xml = await this.virsh.run(host, ['pool-dumpxml', '--pool', pool]);
    return XmlElement.parse(xml).at('pool', 'target', 'path').text;
  }
}
