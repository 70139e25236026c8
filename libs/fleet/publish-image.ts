import type { DataSource } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { Hypervisor } from '#libs/hypervisor';
import {
  type Image,
  type ImageContents,
  ImageContentsService,
  ImagesService,
  keepScreenshot,
  type NewImage,
} from '#libs/images';
import { type Brought, bringToHosts, type OnUpload } from './bring-to-hosts.ts';

/** A cooked image with its file on this machine. */
export interface ImageToPublish extends NewImage {
  /** Absolute path of the qcow2 file. */
  readonly diskPath: string;
  /** What its papers say is in it. */
  readonly contents: ImageContents;
  /** A PNG of a server of it. */
  readonly screenshot?: Buffer | undefined;
}

export interface Published extends Brought {
  readonly image: Image;
}

/** Makes an image the current one of its name and brings it to every host; may be repeated, as `bringToHosts`. */
export async function publishImage(
  dataSource: DataSource,
  hypervisor: Hypervisor,
  { diskPath, contents, screenshot, ...build }: ImageToPublish,
  onUpload?: OnUpload,
): Promise<Published> {
  const images = new ImagesService(dataSource);
  const image = await runInTransaction(dataSource, async (manager) => {
    const registered = await images.register(manager, build);
    await new ImageContentsService(dataSource).keep(manager, registered.id, contents);
    await keepScreenshot(manager, registered.id, screenshot ?? null);
    return registered;
  });
  const { volumeName, virtualSizeBytes } = image;
  const { sha256 } = build;
  const file = { volumeName, path: diskPath, format: 'qcow2', sha256, virtualSizeBytes } as const;
  const record = (hostId: number) => images.recordOnHost(dataSource.manager, image.id, hostId);
  return { image, ...(await bringToHosts(dataSource, hypervisor, file, record, onUpload)) };
}
