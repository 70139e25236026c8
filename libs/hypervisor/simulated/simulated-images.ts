import { rmSync } from 'node:fs';
import { chmod, copyFile, rename } from 'node:fs/promises';
import { verifyImageFile } from '../image-file.ts';
import type { CopyOptions } from '../port/disks.ts';
import type { HostRef } from '../port/hosts.ts';
import type { ImageFacts, ImageFile, OnProgress } from '../port/images.ts';
import { checkImageFile, checkVolumeName } from '../specs.ts';
import type { SimulatedFleet } from './simulated-fleet.ts';
import { refusal, type SimulatedInventory } from './simulated-inventory.ts';

/** Golden images in the image pools of simulated hosts. */
export class SimulatedImages {
  private readonly fleet: SimulatedFleet;
  private readonly inventory: SimulatedInventory;

  constructor(fleet: SimulatedFleet, inventory: SimulatedInventory) {
    this.fleet = fleet;
    this.inventory = inventory;
  }

  importImage(ref: HostRef, image: ImageFile, onProgress?: OnProgress): Promise<void> {
    return this.fleet.call(ref, 'importImage', async (host) => {
      checkImageFile(image);
      const existing = this.fleet.volume(host.name, ref.imagePool, image.volumeName);
      if (existing?.image?.sha256 === image.sha256) return;
      if (existing)
        throw refusal(host, 'volume_exists_foreign', `Another volume is called ${image.volumeName}.`);
      const sizeBytes = await verifyImageFile(image);
      this.inventory.needSpace(host, sizeBytes);
      const { volumeName, sha256, virtualSizeBytes } = image;
      await copyFile(image.path, this.fleet.imagePath(host.name, volumeName));
      this.fleet.putVolume(host.name, {
        name: volumeName,
        pool: ref.imagePool,
        capacityBytes: virtualSizeBytes,
        allocationBytes: sizeBytes,
        image: { volumeName, sha256, virtualSizeBytes },
      });
      onProgress?.(sizeBytes, sizeBytes);
    });
  }

  listImages(ref: HostRef): Promise<readonly ImageFacts[]> {
    return this.fleet.call(ref, 'listImages', (host) => {
      const volumes = this.fleet.volumes(host.name).filter((volume) => volume.pool === ref.imagePool);
      return volumes.flatMap((volume) => volume.image ?? []);
    });
  }

  downloadImage(ref: HostRef, volumeName: string, toPath: string, options: CopyOptions = {}): Promise<void> {
    return this.fleet.call(ref, 'downloadImage', async (host) => {
      checkVolumeName(volumeName);
      const { allocationBytes } = this.inventory.needImage(host, ref, volumeName);
      await copyFile(this.fleet.imagePath(host.name, volumeName), `${toPath}.half`);
      await chmod(`${toPath}.half`, 0o600);
      await rename(`${toPath}.half`, toPath);
      options.onProgress?.(allocationBytes, allocationBytes);
    });
  }

  deleteImage(ref: HostRef, volumeName: string): Promise<void> {
    return this.fleet.call(ref, 'deleteImage', (host) => {
      checkVolumeName(volumeName);
      const overlay = this.fleet
        .volumes(host.name)
        .find(({ backing }) => backing?.pool === ref.imagePool && backing.name === volumeName);
      if (overlay) throw refusal(host, 'image_in_use', `Disk ${overlay.name} stands on image ${volumeName}.`);
      this.fleet.removeVolume(host.name, ref.imagePool, volumeName);
      rmSync(this.fleet.imagePath(host.name, volumeName), { force: true });
    });
  }
}
