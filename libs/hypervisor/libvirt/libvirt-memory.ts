import { dirname, join } from 'node:path';
import { HypervisorError, isHypervisorError } from '../hypervisor.errors.ts';
import type { ResumeSpec } from '../port/disks.ts';
import type { HostRef } from '../port/hosts.ts';
import { checkResumeSpec } from '../specs.ts';
import { type DomainRecord, isOwnDisk, readDomain } from './domain-xml.ts';
import type { LibvirtDomains } from './libvirt-domains.ts';
import type { LibvirtVolumes } from './libvirt-volumes.ts';
import { refreshPool } from './pool-listing.ts';
import type { Virsh } from './virsh.ts';
import { XmlElement } from './xml.ts';

/** The whole memory is written, or read, at the speed of the pool. */
export const MEMORY_TIMEOUT_SECONDS = 3600;

/** What guests hold in memory, kept in the disk pool in libvirt's own format for it, and gone on from. */
export class LibvirtMemory {
  private readonly virsh: Virsh;
  private readonly domains: LibvirtDomains;
  private readonly volumes: LibvirtVolumes;

  constructor(virsh: Virsh, domains: LibvirtDomains, volumes: LibvirtVolumes) {
    this.virsh = virsh;
    this.domains = domains;
    this.volumes = volumes;
  }

  /**
   * How `snapshot-create-as` keeps the memory beside the overlay at `path`. The guest runs on while it is written, but for
   * the last of it. Under emulation it stands still: guests that ran while QEMU's own code watched what they write have been
   * seen to come back unable to go on.
   */
  async argumentsFor(
    host: HostRef,
    { uuid, name, disks }: DomainRecord,
    memoryVolume: string,
    path: string,
  ): Promise<string[]> {
    if (disks.length > 1) {
      const message = `Domain ${name} on ${host.name} has other disks than its own: its memory cannot be kept.`;
      throw new HypervisorError('domain_has_other_disks', message, { details: { host: host.name } });
    }
    await this.refuseWhileWritten(host, uuid);
    await refreshPool(this.virsh, host, host.diskPool);
    // What an attempt that was cut off has left.
    await this.volumes.remove(host, memoryVolume);
    const file = join(dirname(path), memoryVolume);
    const memory = ['--memspec', `file=${file.replaceAll(',', ',,')},snapshot=external`];
    return host.domainType === 'kvm' ? ['--live', ...memory] : memory;
  }

  async resume(host: HostRef, uuid: string, spec: ResumeSpec): Promise<void> {
    checkResumeSpec(spec);
    const record = await this.domains.need(host, uuid);
    const state = await this.domains.state(host, uuid);
    const isOnIt = record.disks.some(({ target, volume }) => isOwnDisk(target) && volume === spec.diskVolume);
    if (state === 'running' && isOnIt) return;
    const inactive = ['dumpxml', '--domain', uuid, '--inactive'];
    const definition = await this.virsh.run(host, inactive);
    if (state !== 'paused') await this.restore(host, spec, definition);
    const network = readDomain(definition).cards[0]?.network ?? 'closed';
    await this.domains.setNetwork(host, uuid, network);
    await this.virsh.run(host, ['resume', '--domain', uuid]);
    await this.setClock(host, uuid);
  }

  /** Paused, for its network is as it was then. */
  private async restore(host: HostRef, spec: ResumeSpec, definition: string): Promise<void> {
    await refreshPool(this.virsh, host, host.diskPool);
    const path = (
      await this.virsh.run(host, ['vol-path', '--pool', host.diskPool, '--vol', spec.memoryVolume])
    ).trim();
    const kept = await this.virsh.run(host, ['save-image-dumpxml', '--file', path]);
    if (sizeOf(kept) !== sizeOf(definition)) {
      const message = `The memory in ${spec.memoryVolume} on ${host.name} was kept of a machine of another size.`;
      throw new HypervisorError('memory_of_another_size', message, { details: { host: host.name } });
    }
    const args = ['restore', '--file', path, '--xml', '/dev/stdin', '--paused'];
    const input = onDisk(kept, spec.diskVolume);
    await this.virsh.run(host, args, { input, timeoutSeconds: MEMORY_TIMEOUT_SECONDS });
  }

  /** A caller that died leaves libvirt at work. */
  private async refuseWhileWritten(host: HostRef, uuid: string): Promise<void> {
    const said = await this.virsh.run(host, ['domjobinfo', '--domain', uuid]);
    if (/^Job type:\s+None/m.test(said)) return;
    const message = `Host ${host.name} is still at work on domain ${uuid}.`;
    throw new HypervisorError('volume_in_use', message, { details: { host: host.name } });
  }

  /** The guest's clock stood still; a guest that does not listen finds out by itself. */
  private async setClock(host: HostRef, uuid: string): Promise<void> {
    await this.virsh.run(host, ['domtime', '--domain', uuid, '--sync']).catch((error: unknown) => {
      if (!isHypervisorError(error, 'agent_not_answering', 'agent_refused')) throw error;
    });
  }
}

/** vCPUs and RAM, which what is in memory cannot do without. */
function sizeOf(xml: string): string {
  const domain = XmlElement.parse(xml).at('domain');
  return `${domain.at('vcpu').text} ${domain.at('memory').text}`;
}

/** The same machine with another volume as its own disk. */
function onDisk(xml: string, volume: string): string {
  const former = readDomain(xml).disks.find(({ target }) => isOwnDisk(target))?.volume ?? '';
  return xml.replaceAll(`volume='${former}'`, `volume='${volume}'`);
}
