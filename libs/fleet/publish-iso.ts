import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { DataSource } from 'typeorm';
import { runInTransaction } from '#libs/database';
import { type Hypervisor, isHypervisorError } from '#libs/hypervisor';
import { type Iso, IsosError, IsosService } from '#libs/isos';
import { HostsService, toHostRef } from '#libs/placement';
import { type Brought, bringToHosts, type OnUpload } from './bring-to-hosts.ts';

/** An ISO image with its file on this machine. */
export interface IsoToPublish {
  readonly name: string;
  readonly description: string;
  /** Absolute path. */
  readonly path: string;
}

export interface PublishedIso extends Brought {
  readonly iso: Iso;
}

/** ISO 9660 (ECMA-119, 6.1.2 and 8.1): sectors, and the mark of the first volume descriptor, in the seventeenth. */
const SECTOR_BYTES = 2048;
const MARK = { at: 16 * SECTOR_BYTES + 1, text: 'CD001' } as const;

/**
 * Registers an ISO image, and brings it to every host; may be repeated, as `bringToHosts`.
 * @throws IsosError `iso_invalid`, `iso_name_taken`
 */
export async function publishIso(
  dataSource: DataSource,
  hypervisor: Hypervisor,
  { path, ...words }: IsoToPublish,
  onUpload?: OnUpload,
): Promise<PublishedIso> {
  const isos = new IsosService(dataSource);
  const sizeBytes = await sizeOfIso(path);
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const sha256 = hash.digest('hex');
  const iso = await runInTransaction(dataSource, (manager) =>
    isos.register(manager, { ...words, sha256, sizeBytes }),
  );
  const { volumeName } = iso;
  const file = { volumeName, path, format: 'raw', sha256, virtualSizeBytes: sizeBytes } as const;
  const record = (hostId: number) => isos.recordOnHost(dataSource.manager, iso.id, hostId);
  return { iso, ...(await bringToHosts(dataSource, hypervisor, file, record, onUpload)) };
}

/**
 * Takes an ISO image from everybody, and from every host; one that is away keeps its file.
 * @throws IsosError `iso_in_use`
 */
export async function withdrawIso(dataSource: DataSource, hypervisor: Hypervisor, iso: Iso): Promise<void> {
  const isos = new IsosService(dataSource);
  await runInTransaction(dataSource, (manager) => isos.withdraw(manager, iso));
  if (!(await isos.isLastOfItsFile(dataSource.manager, iso))) return;
  for (const host of await new HostsService(dataSource).existing()) {
    if (host.state === 'unreachable') continue;
    try {
      await hypervisor.deleteImage(toHostRef(host), iso.volumeName);
    } catch (error) {
      // One that is drained is not said to be unreachable, and may be so.
      if (!isHypervisorError(error, 'host_unreachable', 'host_timeout')) throw error;
    }
  }
}

/** In bytes. @throws IsosError `iso_invalid` where it is not what a CD holds */
async function sizeOfIso(path: string): Promise<number> {
  const file = await open(path).catch(() => {
    throw new IsosError('iso_invalid', `${path} cannot be read`, 'file');
  });
  try {
    const { size } = await file.stat();
    const { buffer } = await file.read(Buffer.alloc(MARK.text.length), 0, MARK.text.length, MARK.at);
    if (buffer.toString('latin1') === MARK.text && size % SECTOR_BYTES === 0) return size;
    throw new IsosError('iso_invalid', `${path} is no ISO 9660 image`, 'file');
  } finally {
    await file.close();
  }
}
