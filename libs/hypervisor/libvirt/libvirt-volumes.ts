import { gibToBytes, newUuid } from '#libs/kernel';
import { diskTooSmall, HypervisorError } from '../hypervisor.errors.ts';
import type { FreezeSpec, OverlaySpec, VolumeFacts } from '../port/disks.ts';
import type { HostRef } from '../port/hosts.ts';
import type { ImageFormat } from '../port/images.ts';
import type { SeedSpec } from '../port/seeds.ts';
import { renderSeed } from '../seed-documents.ts';
import { checkOverlaySpec, checkSeedSpec, checkVolumeName } from '../specs.ts';
import type { LibvirtDomains } from './libvirt-domains.ts';
import type { LibvirtImages } from './libvirt-images.ts';
import { createVolume, makeMark } from './make-volume.ts';
import { diskOn, listPool, refreshPool } from './pool-listing.ts';
import { seedIso } from './seed-iso.ts';
import { storageMarkName } from './storage-marks.ts';
import type { Virsh } from './virsh.ts';
import { saysVolumeExists } from './virsh-errors.ts';
import type { VolumePlan } from './volume-xml.ts';
import { XmlElement } from './xml.ts';

const COPY_TIMEOUT_SECONDS = 300;
/** No seed of ours comes near; what is larger is someone's disk. */
const MAX_SEED_BYTES = 16 * 1024 * 1024;

/** What an overlay is laid on. */
interface Layer {
  readonly volumeName: string;
  readonly path: string;
  readonly format: ImageFormat;
  readonly virtualSizeBytes: number;
}

interface ExistingVolume {
  readonly path: string;
  readonly capacityBytes: number;
  /** Length of the file. */
  readonly fileBytes: number;
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
    const { base } = overlay;
    const beneath =
      'image' in base ? await this.images.find(host, base.image) : await this.findFrozen(host, base.frozen);
    const capacityBytes = gibToBytes(overlay.sizeGib);
    if (capacityBytes < beneath.virtualSizeBytes) throw diskTooSmall(beneath);
    await this.lay(host, overlay.volumeName, capacityBytes, beneath);
  }

  /** An overlay as large as the disk beneath it, which a domain may still have. @returns its path on the host */
  async layOver(host: HostRef, { frozenVolume, nextVolume }: FreezeSpec): Promise<string> {
    const beneath = await this.find(host, frozenVolume);
    await this.lay(host, nextVolume, beneath.virtualSizeBytes, beneath);
    return (await this.find(host, nextVolume)).path;
  }

  private async lay(host: HostRef, name: string, capacityBytes: number, beneath: Layer): Promise<void> {
    const { path, format } = beneath;
    const plan: VolumePlan = { name, capacityBytes, allocationBytes: 0, format: 'qcow2' };
    const existing = await this.create(host, { ...plan, backing: { path, format } });
    if (!existing) return;
    if (existing.backingPath !== path || existing.capacityBytes !== capacityBytes) {
      throw foreignVolume(host, name);
    }
  }

  /** @throws volume_missing, volume_in_use */
  private async findFrozen(host: HostRef, name: string): Promise<Layer> {
    if (!(await this.exists(host, name))) await this.lookAnew(host);
    const layer = await this.find(host, name);
    await this.refuseWhileHad(host, name);
    return layer;
  }

  /** @throws volume_missing */
  private async find(host: HostRef, volumeName: string): Promise<Layer> {
    const { path, capacityBytes } = await this.read(host, volumeName);
    return { volumeName, path, format: 'qcow2', virtualSizeBytes: capacityBytes };
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
    // Another host of the same storage may delete it meanwhile.
    await absentIsFine(this.refuseWhileUsed(host, name));
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

  /** @throws volume_missing, volume_exists_foreign where it is smaller, or stands on another */
  async needOwn(host: HostRef, name: string, capacityBytes: number): Promise<void> {
    const existing = await this.read(host, name);
    if (existing.backingPath === '' && existing.capacityBytes >= capacityBytes) return;
    throw foreignVolume(host, name);
  }

  /** Size that a guest sees, in bytes. @throws volume_missing */
  async capacityOf(host: HostRef, name: string): Promise<number> {
    return (await this.read(host, name)).capacityBytes;
  }

  /** As a guest sees it, and as it takes room in its pool. @throws volume_missing */
  async sizesOf(host: HostRef, name: string): Promise<{ capacityBytes: number; fileBytes: number }> {
    const { capacityBytes, fileBytes } = await this.read(host, name);
    return { capacityBytes, fileBytes };
  }

  /**
   * For what another host has just made on the same storage: a client of network storage reads a folder anew that it has
   * changed itself.
   */
  private async lookAnew(host: HostRef): Promise<void> {
    const name = storageMarkName(`look-${newUuid()}`);
    await makeMark(this.virsh, host, host.diskPool, name);
    await this.remove(host, name);
    await refreshPool(this.virsh, host, host.diskPool);
  }

  private async refuseWhileUsed(host: HostRef, name: string): Promise<void> {
    await this.refuseWhileHad(host, name);
    await this.refuseWhileStoodOn(host, name);
  }

  private async refuseWhileHad(host: HostRef, name: string): Promise<void> {
    const user = await this.domains.userOf(host, host.diskPool, name);
    if (user === undefined) return;
    throw new HypervisorError('volume_in_use', `Domain ${user} on ${host.name} has volume ${name}.`, {
      details: { host: host.name, domain: user },
    });
  }

  private async refuseWhileStoodOn(host: HostRef, name: string): Promise<void> {
    const { path } = await this.read(host, name);
    const disk = await diskOn(this.virsh, host, path);
    if (disk === undefined) return;
    throw new HypervisorError('volume_in_use', `Disk ${disk} on ${host.name} stands on volume ${name}.`, {
      details: { host: host.name, volume: disk },
    });
  }

  async exists(host: HostRef, name: string): Promise<boolean> {
    const entries = await listPool(this.virsh, host, host.diskPool);
    if (entries.some((entry) => entry.name === name)) return true;
    await refreshPool(this.virsh, host, host.diskPool);
    return (await listPool(this.virsh, host, host.diskPool)).some((entry) => entry.name === name);
  }

  /** Makes a volume; gives the one that is there where the name is taken. */
  private async create(host: HostRef, plan: VolumePlan): Promise<ExistingVolume | undefined> {
    try {
      await createVolume(this.virsh, host, host.diskPool, plan);
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
      path: volume.at('target', 'path').text,
      capacityBytes: volume.at('capacity').number,
      fileBytes: volume.at('physical').number,
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
