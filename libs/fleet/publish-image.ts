import type { DataSource } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { Hypervisor } from '#libs/hypervisor';
import {
  hostsWith,
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
  /** Servers are ordered of it; else no host took it, and they still are of the former build. */
  readonly isCurrent: boolean;
}

/**
 * Brings an image to every host, and makes it the current one of its name when some have it: until then servers are ordered
 * of the former build, which hosts have. May be repeated, as `bringToHosts`.
 */
export async function publishImage(
  dataSource: DataSource,
  hypervisor: Hypervisor,
  { diskPath, contents, screenshot, ...build }: ImageToPublish,
  onUpload?: OnUpload,
): Promise<Published> {
  const images = new ImagesService(dataSource);
  const kept = await runInTransaction(dataSource, async (manager) => {
    const image = await images.keep(manager, build);
    await new ImageContentsService(dataSource).keep(manager, image.id, contents);
    await keepScreenshot(manager, image.id, screenshot ?? null);
    return image;
  });
  const { volumeName, virtualSizeBytes } = kept;
  const { sha256 } = build;
  const file = { volumeName, path: diskPath, format: 'qcow2', sha256, virtualSizeBytes } as const;
  const record = (hostId: number) => images.recordOnHost(dataSource.manager, kept.id, hostId);
  const brought = await bringToHosts(dataSource, hypervisor, file, record, onUpload);
  const hasHosts = (await hostsWith(dataSource.manager, kept.id)).length > 0;
  const isOrdered = hasHosts || brought.failures.length === 0;
  const image = isOrdered
    ? await runInTransaction(dataSource, (manager) => images.makeCurrent(manager, kept))
    : kept;
  return { image, isCurrent: image.deprecatedAt === null, ...brought };
}
