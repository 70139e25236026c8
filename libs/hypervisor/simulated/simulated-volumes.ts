import { rename, writeFile } from 'node:fs/promises';
import { gibToBytes } from '#libs/kernel';
import { diskTooSmall } from '../hypervisor.errors.ts';
import type { BlockVolumeSpec, GrowSpec } from '../port/block-volumes.ts';
import type {
  CopyOptions,
  HostCopy,
  OverlayBase,
  OverlaySpec,
  VolumeCopy,
  VolumeFacts,
} from '../port/disks.ts';
import type { HostRef, StorageFacts } from '../port/hosts.ts';
import type { SeedSpec } from '../port/seeds.ts';
import { renderSeed } from '../seed-documents.ts';
import {
  checkBlockVolumeSpec,
  checkGrowSpec,
  checkHostCopy,
  checkOverlaySpec,
  checkSeedSpec,
  checkStorageMark,
  checkVolumeCopy,
  checkVolumeName,
} from '../specs.ts';
import { emptyQcow2 } from './empty-qcow2.ts';
import type { SimulatedFleet, SimulatedHost, SimulatedVolume } from './simulated-fleet.ts';
import { refusal, type SimulatedInventory } from './simulated-inventory.ts';

/** What an empty overlay takes: a qcow2 header and its first tables. */
const EMPTY_OVERLAY_BYTES = 196_608;
const SEED_BYTES = 65_536;

/** Disks, seeds and volumes in the disk pools of simulated hosts. */
export class SimulatedVolumes {
  private readonly fleet: SimulatedFleet;
  private readonly inventory: SimulatedInventory;

  constructor(fleet: SimulatedFleet, inventory: SimulatedInventory) {
    this.fleet = fleet;
    this.inventory = inventory;
  }

  createOverlay(ref: HostRef, overlay: OverlaySpec): Promise<void> {
    return this.fleet.call(ref, 'createOverlay', (host) => {
      checkOverlaySpec(overlay);
      const beneath = this.beneath(host, ref, overlay.base);
      this.inventory.needLayers(host, beneath);
      const capacityBytes = gibToBytes(overlay.sizeGib);
      const virtualSizeBytes = beneath.image?.virtualSizeBytes ?? beneath.capacityBytes;
      if (capacityBytes < virtualSizeBytes) {
        throw diskTooSmall({ volumeName: beneath.name, virtualSizeBytes });
      }
      this.lay(host, ref, overlay.volumeName, capacityBytes, beneath);
    });
  }

  /** What a guest has left on the disk beneath is there on the overlay as well. */
  lay(
    host: SimulatedHost,
    ref: HostRef,
    name: string,
    capacityBytes: number,
    { pool, name: beneath, guest }: SimulatedVolume,
  ): void {
    const existing = this.fleet.volume(host.name, ref.diskPool, name);
    if (existing) {
      const { backing } = existing;
      const isSame = backing?.pool === pool && backing.name === beneath;
      if (isSame && existing.capacityBytes === capacityBytes) return;
      throw refusal(host, 'volume_exists_foreign', `Another volume is called ${name}.`);
    }
    this.inventory.needSpace(host, EMPTY_OVERLAY_BYTES);
    this.fleet.putVolume(host.name, {
      name,
      pool: ref.diskPool,
      capacityBytes,
      allocationBytes: EMPTY_OVERLAY_BYTES,
      backing: { pool, name: beneath },
      ...(guest && { guest }),
    });
  }

  createSeed(ref: HostRef, spec: SeedSpec): Promise<void> {
    return this.fleet.call(ref, 'createSeed', (host) => {
      checkSeedSpec(spec);
      const seed = Object.fromEntries(renderSeed(spec).map((file) => [file.name, file.content]));
      const existing = this.fleet.volume(host.name, ref.diskPool, spec.volumeName);
      if (existing && !existing.seed) {
        throw refusal(host, 'volume_exists_foreign', `Another volume is called ${spec.volumeName}.`);
      }
      if (!existing) this.inventory.needSpace(host, SEED_BYTES);
      const sizes = { capacityBytes: SEED_BYTES, allocationBytes: SEED_BYTES };
      this.fleet.putVolume(host.name, { name: spec.volumeName, pool: ref.diskPool, ...sizes, seed });
    });
  }

  deleteVolume(ref: HostRef, volumeName: string, _options: { readonly wipe?: boolean } = {}): Promise<void> {
    return this.fleet.call(ref, 'deleteVolume', (host) => {
      checkVolumeName(volumeName);
      this.inventory.refuseWhileHad(host, volumeName);
      const disk = this.fleet
        .volumes(host.name)
        .find(({ backing }) => backing?.pool === ref.diskPool && backing.name === volumeName);
      if (disk) throw refusal(host, 'volume_in_use', `Disk ${disk.name} stands on volume ${volumeName}.`);
      this.fleet.removeVolume(host.name, ref.diskPool, volumeName);
    });
  }

  listVolumes(ref: HostRef, pool: 'images' | 'disks'): Promise<readonly VolumeFacts[]> {
    return this.fleet.call(ref, 'listVolumes', (host) => {
      const poolName = pool === 'images' ? ref.imagePool : ref.diskPool;
      const volumes = this.fleet.volumes(host.name).filter((volume) => volume.pool === poolName);
      return volumes.map(({ name, capacityBytes, allocationBytes }) => ({
        name,
        capacityBytes,
        allocationBytes,
      }));
    });
  }

  inspectStorage(ref: HostRef): Promise<StorageFacts> {
    return this.fleet.call(ref, 'inspectStorage', (host) => ({
      diskPoolPath: `${host.poolRoot}/${ref.diskPool}`,
      imagePoolPath: `${host.poolRoot}/${ref.imagePool}`,
      marks: this.fleet.marks(host.name),
    }));
  }

  markStorage(ref: HostRef, mark: string): Promise<void> {
    return this.fleet.call(ref, 'markStorage', (host) => {
      checkStorageMark(mark);
      this.fleet.putMark(host.name, mark);
    });
  }

  unmarkStorage(ref: HostRef, mark: string): Promise<void> {
    return this.fleet.call(ref, 'unmarkStorage', (host) => {
      checkStorageMark(mark);
      this.fleet.removeMark(host.name, mark);
    });
  }

  createVolume(ref: HostRef, volume: BlockVolumeSpec): Promise<void> {
    return this.fleet.call(ref, 'createVolume', (host) => {
      checkBlockVolumeSpec(volume);
      const { volumeName: name, sizeGib } = volume;
      const capacityBytes = gibToBytes(sizeGib);
      const existing = this.fleet.volume(host.name, ref.diskPool, name);
      if (existing && !existing.backing && existing.capacityBytes >= capacityBytes) return;
      if (existing) throw refusal(host, 'volume_exists_foreign', `Another volume is called ${name}.`);
      const allocationBytes = EMPTY_OVERLAY_BYTES;
      this.inventory.needSpace(host, allocationBytes);
      this.fleet.putVolume(host.name, { name, pool: ref.diskPool, capacityBytes, allocationBytes });
    });
  }

  growVolume(ref: HostRef, spec: GrowSpec): Promise<void> {
    return this.fleet.call(ref, 'growVolume', (host) => {
      checkGrowSpec(spec);
      const { volumeName, sizeGib, domainUuid } = spec;
      const volume = this.inventory.needVolume(host, ref, volumeName);
      const capacityBytes = gibToBytes(sizeGib);
      if (volume.capacityBytes >= capacityBytes) return;
      this.inventory.refuseWhileRun(host, volumeName, domainUuid);
      this.fleet.putVolume(host.name, { ...volume, capacityBytes });
    });
  }

  flattenVolume(ref: HostRef, copy: VolumeCopy, options: CopyOptions = {}): Promise<void> {
    return this.fleet.call(ref, 'flattenVolume', (host) => {
      checkVolumeCopy(copy);
      const { volumeName, fromVolumeName } = copy;
      if (this.fleet.volume(host.name, ref.diskPool, volumeName)) return;
      const source = this.inventory.needVolume(host, ref, fromVolumeName);
      this.inventory.refuseWhileRun(host, fromVolumeName);
      this.inventory.needSpace(host, source.allocationBytes);
      const { capacityBytes, allocationBytes, guest } = source;
      this.fleet.putVolume(host.name, {
        ...{ name: volumeName, pool: ref.diskPool, capacityBytes, allocationBytes, copyOf: fromVolumeName },
        ...(guest && { guest }),
      });
      options.onProgress?.(allocationBytes, capacityBytes);
    });
  }

  /** What arrives is an empty disk of the right size. */
  downloadVolume(ref: HostRef, volumeName: string, toPath: string, options: CopyOptions = {}): Promise<void> {
    return this.fleet.call(ref, 'downloadVolume', async (host) => {
      checkVolumeName(volumeName);
      const file = emptyQcow2(this.inventory.needVolume(host, ref, volumeName).capacityBytes);
      await writeFile(`${toPath}.half`, file, { mode: 0o600 });
      await rename(`${toPath}.half`, toPath);
      options.onProgress?.(file.length, file.length);
    });
  }

  async copyVolume(ref: HostRef, copy: HostCopy, options: CopyOptions = {}): Promise<void> {
    const source = await this.fleet.call(copy.from, 'copyVolume', (host) => {
      checkHostCopy(copy);
      const volume = this.inventory.needVolume(host, copy.from, copy.fromVolumeName);
      this.inventory.refuseWhileHad(host, copy.fromVolumeName);
      return volume;
    });
    await this.fleet.call(ref, 'copyVolume', (host) => {
      this.inventory.refuseWhileHad(host, copy.volumeName);
      this.inventory.needSpace(host, source.allocationBytes);
      this.fleet.putVolume(host.name, { ...source, name: copy.volumeName, pool: ref.diskPool });
      options.onProgress?.(source.allocationBytes, source.allocationBytes);
    });
  }

  private beneath(host: SimulatedHost, ref: HostRef, base: OverlayBase): SimulatedVolume {
    if ('frozen' in base) {
      const volume = this.inventory.needVolume(host, ref, base.frozen);
      this.inventory.refuseWhileHad(host, base.frozen);
      return volume;
    }
    return this.inventory.needImage(host, ref, base.image);
  }
}
