import type { DataSource } from 'typeorm';
import { runInTransaction } from '#libs/database';
import type { Hypervisor } from '#libs/hypervisor';
import { type Image, ImagesService, type NewImage } from '#libs/images';
import { HostsService, toHostRef } from '#libs/placement';

/** A cooked image with its file on this machine. */
export interface ImageToPublish extends NewImage {
  /** Absolute path of the qcow2 file. */
  readonly diskPath: string;
}

/** Of all bytes that go to this host. */
export type OnUpload = (hostName: string, sentBytes: number, totalBytes: number) => void;

export interface Published {
  readonly image: Image;
  /** Hosts that have it since now. */
  readonly newOn: readonly string[];
  /** Hosts that did not take it, and why; the image can be ordered on the others. */
  readonly failures: readonly { readonly host: string; readonly message: string }[];
}

/**
 * Makes an image the current one of its name and brings it to every host. A host that has it is left alone, so this
 * may be repeated after a failure or when a host was added.
 */
export async function publishImage(
  dataSource: DataSource,
  hypervisor: Hypervisor,
  { diskPath, ...build }: ImageToPublish,
  onUpload?: OnUpload,
): Promise<Published> {
  const images = new ImagesService(dataSource);
  const image = await runInTransaction(dataSource, (manager) => images.register(manager, build));
  const newOn: string[] = [];
  const failures: { host: string; message: string }[] = [];
  for (const host of await new HostsService(dataSource).all()) {
    const { volumeName, virtualSizeBytes } = image;
    const { sha256 } = build;
    const file = { volumeName, path: diskPath, format: 'qcow2', sha256, virtualSizeBytes } as const;
    try {
      await hypervisor.importImage(toHostRef(host), file, (sent, total) =>
        onUpload?.(host.name, sent, total),
      );
      if (await images.recordOnHost(dataSource.manager, image.id, host.id)) newOn.push(host.name);
    } catch (error) {
      failures.push({ host: host.name, message: error instanceof Error ? error.message : String(error) });
    }
  }
  return { image, newOn, failures };
}
