import { HypervisorError } from '../hypervisor.errors.ts';
import { verifyImageFile } from '../image-file.ts';
import type { VolumeFacts } from '../port/disks.ts';
import type { HostRef } from '../port/hosts.ts';
import type { ImageFacts, ImageFile, OnProgress } from '../port/images.ts';
import { checkImageFile, checkVolumeName } from '../specs.ts';
import { isMark, MAX_IMAGE_NAME, partMark, type StoredImage, wholeImages, wholeMark } from './image-marks.ts';
import { createVolume, makeMark } from './make-volume.ts';
import { diskOn, listPool, type PoolEntry, refreshPool, volumeSizes } from './pool-listing.ts';
import { LONGEST_SECONDS, watchProgress } from './progress-watch.ts';
import { storageMarkOf } from './storage-marks.ts';
import type { Virsh } from './virsh.ts';
import { XmlElement } from './xml.ts';

/** Golden images in a host's image pool. */
export class LibvirtImages {
  private readonly virsh: Virsh;
  private readonly stallSeconds: number;
  /** Imports under way in this process, by host and volume: a second one waits for the first. */
  private readonly underway = new Map<string, Promise<void>>();

  constructor(virsh: Virsh, stallSeconds: number) {
    this.virsh = virsh;
    this.stallSeconds = stallSeconds;
  }

  async import(host: HostRef, image: ImageFile, onProgress?: OnProgress): Promise<void> {
    checkImageFile(image);
    if (image.volumeName.length > MAX_IMAGE_NAME || isMark(image.volumeName)) {
      throw new HypervisorError('invalid_spec', `An image's name has at most ${MAX_IMAGE_NAME} characters.`);
    }
    const key = `${host.uri} ${host.imagePool} ${image.volumeName}`;
    const earlier = this.underway.get(key);
    const work = (earlier ?? Promise.resolve())
      .catch(() => undefined)
      .then(() => this.bring(host, image, onProgress));
    this.underway.set(key, work);
    await work.finally(() => {
      if (this.underway.get(key) === work) this.underway.delete(key);
    });
  }

  async list(host: HostRef): Promise<ImageFacts[]> {
    await refreshPool(this.virsh, host, host.imagePool);
    const images = wholeImages(await listPool(this.virsh, host, host.imagePool));
    return images.map(({ volumeName, sha256, virtualSizeBytes }) => ({
      volumeName,
      sha256,
      virtualSizeBytes,
    }));
  }

  /** @throws image_missing */
  async find(host: HostRef, volumeName: string): Promise<StoredImage> {
    const known = wholeImages(await listPool(this.virsh, host, host.imagePool));
    const image =
      known.find((candidate) => candidate.volumeName === volumeName) ?? (await this.look(host, volumeName));
    if (image) return image;
    throw new HypervisorError(
      'image_missing',
      `Image ${volumeName} is not whole on ${host.name}: import it.`,
      {
        details: { host: host.name },
      },
    );
  }

  /** The mark of being whole goes first, so that no overlay is begun on an image that is going. */
  async delete(host: HostRef, volumeName: string): Promise<void> {
    checkVolumeName(volumeName);
    await refreshPool(this.virsh, host, host.imagePool);
    const entries = await listPool(this.virsh, host, host.imagePool);
    const names = new Set(entries.map((entry) => entry.name));
    const image = wholeImages(entries).find((candidate) => candidate.volumeName === volumeName);
    if (!image && !names.has(partMark(volumeName))) {
      if (names.has(volumeName)) throw foreignImage(host, volumeName);
      return;
    }
    if (image) await this.refuseWhileStoodOn(host, image);
    await this.mark(host, partMark(volumeName));
    if (image) await this.remove(host, image.mark);
    await this.remove(host, volumeName);
    await this.remove(host, partMark(volumeName));
  }

  async volumes(host: HostRef): Promise<VolumeFacts[]> {
    await refreshPool(this.virsh, host, host.imagePool);
    return this.sizes(host, host.imagePool, await listPool(this.virsh, host, host.imagePool));
  }

  /** Sizes of what is no mark of ours. */
  sizes(host: HostRef, pool: string, entries: readonly PoolEntry[]): Promise<VolumeFacts[]> {
    const names = entries
      .map((entry) => entry.name)
      .filter((name) => !isMark(name) && storageMarkOf(name) === undefined);
    return volumeSizes(this.virsh, host, pool, names);
  }

  private async look(host: HostRef, volumeName: string): Promise<StoredImage | undefined> {
    await refreshPool(this.virsh, host, host.imagePool);
    const images = wholeImages(await listPool(this.virsh, host, host.imagePool));
    return images.find((candidate) => candidate.volumeName === volumeName);
  }

  private async bring(host: HostRef, image: ImageFile, onProgress?: OnProgress): Promise<void> {
    const { volumeName } = image;
    const existing = await this.look(host, volumeName);
    if (existing?.sha256 === image.sha256) return;
    const entries = await listPool(this.virsh, host, host.imagePool);
    const isHalf = entries.some((entry) => entry.name === partMark(volumeName));
    if (existing || (!isHalf && entries.some((entry) => entry.name === volumeName))) {
      throw foreignImage(host, volumeName);
    }
    const sizeBytes = await verifyImageFile(image);
    await this.mark(host, partMark(volumeName));
    await this.remove(host, volumeName);
    await this.create(host, volumeName, sizeBytes);
    await this.upload(host, image, sizeBytes, onProgress);
    await this.proveWhole(host, image, sizeBytes);
    await this.mark(host, wholeMark(image));
    await this.remove(host, partMark(volumeName));
  }

  private async upload(
    host: HostRef,
    image: ImageFile,
    sizeBytes: number,
    onProgress?: OnProgress,
  ): Promise<void> {
    const args = ['vol-upload', '--pool', host.imagePool, '--vol', image.volumeName, '--file', image.path];
    let sent = 0;
    const onRead = (bytes: number) => {
      sent = bytes;
    };
    await watchProgress(
      { host, what: `Uploading ${image.volumeName}`, stallSeconds: this.stallSeconds, onProgress },
      async () => sent,
      sizeBytes,
      (signal) => this.virsh.run(host, args, { timeoutSeconds: LONGEST_SECONDS, signal, onRead }),
    );
    onProgress?.(sizeBytes, sizeBytes);
  }

  /** The stream ended well; the host must now also see as many bytes, and the disk size that was promised. */
  private async proveWhole(host: HostRef, image: ImageFile, sizeBytes: number): Promise<void> {
    await refreshPool(this.virsh, host, host.imagePool);
    const args = ['vol-dumpxml', '--pool', host.imagePool, '--vol', image.volumeName];
    const volume = XmlElement.parse(await this.virsh.run(host, args)).at('volume');
    const physical = volume.at('physical').number;
    const capacity = volume.at('capacity').number;
    if (physical === sizeBytes && capacity === image.virtualSizeBytes) return;
    throw new HypervisorError(
      'image_corrupt',
      `Image ${image.volumeName} did not arrive whole on ${host.name}.`,
      {
        details: { host: host.name, physical, sizeBytes, capacity, virtualSizeBytes: image.virtualSizeBytes },
      },
    );
  }

  private async refuseWhileStoodOn(host: HostRef, image: StoredImage): Promise<void> {
    const disk = await diskOn(this.virsh, host, image.path);
    if (disk === undefined) return;
    const message = `Disk ${disk} on ${host.name} stands on image ${image.volumeName}.`;
    throw new HypervisorError('image_in_use', message, { details: { host: host.name } });
  }

  private mark(host: HostRef, name: string): Promise<void> {
    return makeMark(this.virsh, host, host.imagePool, name);
  }

  /** Made raw and of the file's size, whatever the upload holds: bytes are bytes until they are proven. */
  private create(host: HostRef, name: string, capacityBytes: number): Promise<void> {
    const plan = { name, capacityBytes, allocationBytes: 0, format: 'raw' } as const;
    return createVolume(this.virsh, host, host.imagePool, plan);
  }

  private async remove(host: HostRef, name: string): Promise<void> {
    const call = this.virsh.run(host, ['vol-delete', '--pool', host.imagePool, '--vol', name]);
    await call.catch((error: unknown) => {
      if (!(error instanceof HypervisorError && error.code === 'volume_missing')) throw error;
    });
  }
}

function foreignImage(host: HostRef, volumeName: string): HypervisorError {
  const message = `Pool ${host.imagePool} on ${host.name} has another volume called ${volumeName}.`;
  return new HypervisorError('volume_exists_foreign', message, { details: { host: host.name } });
}
