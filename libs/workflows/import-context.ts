import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { EntityManager } from 'typeorm';
import type { DiskFormat } from '#libs/disk-files';
import { Image, type ImportReport } from '#libs/images';
import { type DiskTools, type ImportSettings, type ImportStore, urlContext } from '#libs/imports';
import { PermanentError } from '#libs/saga';
import type { EnvelopeCipher } from '#libs/secrets';

/** What the import of an image works with. */
export interface ImportDeps {
  readonly store: ImportStore;
  readonly tools: DiskTools;
  readonly settings: ImportSettings;
  readonly cipher: EnvelopeCipher;
}

/** An image that is being made, and where its bytes come from. */
export interface ImportContext {
  readonly image: Image;
  readonly accountId: number;
  readonly currency: string;
  readonly format: DiskFormat;
  /** For the root of the system on it. */
  readonly sshPublicKeys: readonly string[];
  readonly uploadId: number | null;
  /** Null: it was uploaded. */
  readonly url: string | null;
}

interface ImportRow {
  accountId: number;
  currency: string;
  format: DiskFormat;
  sshPublicKeys: string[];
  uploadId: number | null;
  sealedUrl: Buffer | null;
}

/** @throws PermanentError `import_gone` */
export async function loadImport(
  manager: EntityManager,
  { cipher }: Pick<ImportDeps, 'cipher'>,
  imageId: number,
): Promise<ImportContext> {
  const [row] = await manager.query<ImportRow[]>(
    `SELECT account_id AS "accountId", currency, format, ssh_public_keys AS "sshPublicKeys", upload_id AS "uploadId", sealed_url AS "sealedUrl"
     FROM image_imports WHERE image_id = $1`,
    [imageId],
  );
  if (!row) throw new PermanentError('import_gone', `there is no import of image ${imageId}`);
  const { sealedUrl, ...rest } = row;
  const image = await manager.getRepository(Image).findOneByOrFail({ id: imageId });
  return { image, ...rest, url: sealedUrl && cipher.open(sealedUrl, urlContext(imageId)) };
}

/** The file as it came. */
export function sourcePath({ store }: ImportDeps, { image, uploadId }: ImportContext): string {
  return uploadId === null ? store.fetchedPath(image.id) : store.uploadPath(uploadId);
}

/** Bytes of a file; undefined where there is none. */
export async function bytesOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.size;
}

/** SHA-256 of a file, 64 hex digits. */
export async function checksumOf(path: string, signal: AbortSignal): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1024 * 1024 }), hash, { signal });
  return hash.digest('hex');
}

/** What the owner should know before they order, by what was seen. */
export function notesOn(seen: Omit<ImportReport, 'notes'>): string[] {
  const { diskCount, machine, boot, guest } = seen;
  const others = diskCount - 1;
  return [
    ...(others > 0
      ? [`The file has ${others} further disk${others > 1 ? 's' : ''}, which were left out.`]
      : []),
    ...(boot && !boot.bios && !boot.uefi
      ? ['Neither a boot loader for BIOS nor one for UEFI was found in it: it may not start.']
      : []),
    ...(machine?.firmware === 'efi' && !boot?.uefi
      ? ['Its description asks for EFI, and no loader for that was found in it.']
      : []),
    ...(guest
      ? notesOnGuest(guest)
      : ['Its file system is not one that could be looked into: what its servers start on is a guess.']),
  ];
}

function notesOnGuest(guest: NonNullable<ImportReport['guest']>): string[] {
  const virtio = guest.drivers.includes('virtio_blk');
  return [
    ...(virtio ? [] : ['No driver for virtio disks was found in it: its servers get a slower kind.']),
    ...(guest.hasCloudInit || guest.readsSeed
      ? []
      : [
          'No cloud-init was found in it: its servers take no SSH key, password or address from here. Import it with ssh_keys where it runs systemd.',
        ]),
    ...(guest.hasGuestAgent
      ? []
      : ['No guest agent was found in it: its snapshots are as after a power loss.']),
  ];
}
