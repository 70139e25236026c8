import { gibToBytes } from '#libs/kernel';
import { diskTooSmall, HypervisorError } from '../hypervisor.errors.ts';
import type { HostRef, OverlaySpec, SeedSpec, VolumeFacts } from '../port.ts';
import { renderSeed } from '../seed-documents.ts';
import { checkOverlaySpec, checkSeedSpec, checkVolumeName } from '../specs.ts';
import type { LibvirtDomains } from './libvirt-domains.ts';
import type { LibvirtImages } from './libvirt-images.ts';
import { listPool, refreshPool } from './pool-listing.ts';
import { seedIso } from './seed-iso.ts';
import type { Virsh } from './virsh.ts';
import { saysVolumeExists } from './virsh-errors.ts';
import { type VolumePlan, volumeXml } from './volume-xml.ts';
import { XmlElement } from './xml.ts';

const COPY_TIMEOUT_SECONDS = 300;
/** No seed of ours comes near; what is larger is someone's disk. */
const MAX_SEED_BYTES = 16 * 1024 * 1024;

interface ExistingVolume {
  readonly capacityBytes: number;
  readonly format: string;
  readonly backingPath: string;
}

/** The servers' own disks and seeds in a host's disk pool. */
export class LibvirtVolumes {
  private readonly virsh: Virsh;
  private readonly images: LibvirtImages;
  private readonly domains: LibvirtDomains;

  constructor(virsh: Virsh, images: LibvirtImages, domains: LibvirtDomains) {
    this.virsh = virsh;
    this.images = images;
    this.domains = domains;
  }

  async createOverlay(host: HostRef, overlay: OverlaySpec): Promise<void> {
    checkOverlaySpec(overlay);
    const image = await this.images.find(host, overlay.imageVolumeName);
    const capacityBytes = gibToBytes(overlay.sizeGib);
    if (capacityBytes < image.virtualSizeBytes) throw diskTooSmall(image);
    const existing = await this.create(host, {
      name: overlay.volumeName,
      capacityBytes,
      allocationBytes: 0,
      format: 'qcow2',
      backing: { path: image.path, format: image.format },
    });
    if (!existing) return;
    if (existing.backingPath !== image.path || existing.capacityBytes !== capacityBytes) {
      throw foreignVolume(host, overlay.volumeName);
    }
  }

  async createSeed(host: HostRef, seed: SeedSpec): Promise<void> {
    checkSeedSpec(seed);
    const iso = seedIso(renderSeed(seed));
    if (iso.length > MAX_SEED_BYTES) {
      throw new HypervisorError(
        'invalid_spec',
        `The seed has ${iso.length} bytes; ${MAX_SEED_BYTES} is the most.`,
      );
    }
    const size = { capacityBytes: iso.length, allocationBytes: iso.length };
    const plan: VolumePlan = { name: seed.volumeName, ...size, format: 'raw' };
    const existing = await this.create(host, plan);
    if (existing && (existing.backingPath !== '' || existing.capacityBytes > MAX_SEED_BYTES)) {
      throw foreignVolume(host, seed.volumeName);
    }
    if (existing && existing.capacityBytes !== iso.length) {
      await this.deleteVolume(host, seed.volumeName, { wipe: true });
      await this.create(host, plan);
    }
    const upload = ['vol-upload', '--pool', host.diskPool, '--vol', seed.volumeName, '--file', '/dev/stdin'];
    await this.virsh.run(host, upload, { input: iso, timeoutSeconds: COPY_TIMEOUT_SECONDS });
  }

  async deleteVolume(host: HostRef, name: string, options: { readonly wipe?: boolean } = {}): Promise<void> {
    checkVolumeName(name);
    if (!(await this.exists(host, name))) return;
    const user = await this.domains.userOf(host, host.diskPool, name);
    if (user !== undefined) {
      throw new HypervisorError('volume_in_use', `Domain ${user} on ${host.name} has volume ${name}.`, {
        details: { host: host.name, domain: user },
      });
    }
    if (options.wipe) await this.erase(host, name);
    await this.remove(host, name);
  }

  /** Overwrites a volume's bytes, also while a domain has it. Absent is success. */
  async erase(host: HostRef, name: string): Promise<void> {
    const wipe = ['vol-wipe', '--pool', host.diskPool, '--vol', name];
    await absentIsFine(this.virsh.run(host, wipe, { timeoutSeconds: COPY_TIMEOUT_SECONDS }));
  }

  /** Deletes a volume without asking who has it. Absent is success. */
  async remove(host: HostRef, name: string): Promise<void> {
    await absentIsFine(this.virsh.run(host, ['vol-delete', '--pool', host.diskPool, '--vol', name]));
  }

  list(host: HostRef, pool: 'images' | 'disks'): Promise<readonly VolumeFacts[]> {
    return pool === 'images' ? this.images.volumes(host) : this.volumesOf(host);
  }

  private async volumesOf(host: HostRef): Promise<readonly VolumeFacts[]> {
    await refreshPool(this.virsh, host, host.diskPool);
    return listPool(this.virsh, host, host.diskPool).then((entries) =>
      this.images.sizes(host, host.diskPool, entries),
    );
  }

  private async exists(host: HostRef, name: string): Promise<boolean> {
    const entries = await listPool(this.virsh, host, host.diskPool);
    if (entries.some((entry) => entry.name === name)) return true;
    await refreshPool(this.virsh, host, host.diskPool);
    return (await listPool(this.virsh, host, host.diskPool)).some((entry) => entry.name === name);
  }

  /** Makes a volume; gives the one that is there where the name is taken. */
  private async create(host: HostRef, plan: VolumePlan): Promise<ExistingVolume | undefined> {
    const args = ['vol-create', '--pool', host.diskPool, '--file', '/dev/stdin'];
    try {
      await this.virsh.run(host, args, { input: volumeXml(plan) });
      return undefined;
    } catch (error) {
      if (!saysVolumeExists(error)) throw error;
      await refreshPool(this.virsh, host, host.diskPool);
      return this.read(host, plan.name);
    }
  }

  private async read(host: HostRef, name: string): Promise<ExistingVolume> {
    const xml = await this.virsh.run(host, ['vol-dumpxml', '--pool', host.diskPool, '--vol', name]);
    const volume = XmlElement.parse(xml).at('volume');
    return {
      capacityBytes: volume.at('capacity').number,
      format: volume.at('target', 'format').attribute('type') ?? '',
      backingPath: volume.at('backingStore', 'path').text,
    };
  }
}

async function absentIsFine(call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!(error instanceof HypervisorError && error.code === 'volume_missing')) throw error;
  });
}

function foreignVolume(host: HostRef, name: string): HypervisorError {
  return new HypervisorError('volume_exists_foreign', `Another volume on ${host.name} is called ${name}.`, {
    details: { host: host.name },
  });
}
