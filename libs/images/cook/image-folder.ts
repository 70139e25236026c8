import { readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { type Manifest, parseManifest } from './manifest.ts';
import { verifiedAt } from './verification.ts';

/** An image is set aside under this prefix while a newer one takes its name. */
const REPLACED = '.replaced-';

/** A golden image as it lies on this machine. */
export interface CookedImage {
  readonly name: string;
  readonly diskPath: string;
  readonly manifestPath: string;
  readonly sbomPath: string;
  readonly virtualSizeBytes: number;
  readonly fileSizeBytes: number;
  readonly sha256: string;
  readonly manifest: Manifest;
  readonly cookedAt: Date;
  /** When it was booted and used as its clients would; null: it is not known that it was. */
  readonly verifiedAt: Date | null;
  /** True when the image was there already and nothing was cooked. */
  readonly unchanged: boolean;
}

/** The image of a recipe as the last finished cook left it, or undefined. */
export async function readCookedImage(outputDir: string, name: string): Promise<CookedImage | undefined> {
  const folder = join(resolve(outputDir), name);
  const manifestPath = join(folder, 'manifest.json');
  const manifest = parseManifest(await readFile(manifestPath, 'utf8').catch(() => ''));
  const diskPath = join(folder, 'disk.qcow2');
  const disk = await stat(diskPath).catch(() => undefined);
  if (!manifest || disk?.size !== manifest.disk.fileSizeBytes) return undefined;
  const { virtualSizeBytes, fileSizeBytes, sha256 } = manifest.disk;
  const sbomPath = join(folder, 'sbom.cdx.json');
  const sizes = { virtualSizeBytes, fileSizeBytes, sha256 };
  return {
    name,
    diskPath,
    manifestPath,
    sbomPath,
    ...sizes,
    manifest,
    cookedAt: disk.mtime,
    verifiedAt: await verifiedAt(folder, sha256),
    unchanged: true,
  };
}

/** Replaces the former image by renames alone: a reader sees the old one, the new one, or for an instant none. */
export async function putInPlace(finished: string, target: string): Promise<void> {
  const former = join(dirname(target), `${REPLACED}${basename(target)}`);
  await rename(target, former).catch(ignoreMissing);
  await rename(finished, target);
  await rm(former, { recursive: true, force: true });
}

/** Removes what a killed cook left, and puts back an image that it had just set aside. Needs the lock. */
export async function clearAbandoned(outputDir: string): Promise<void> {
  for (const entry of await readdir(outputDir)) {
    if (entry.startsWith('.cooking-')) await rm(join(outputDir, entry), { recursive: true, force: true });
    if (!entry.startsWith(REPLACED)) continue;
    const former = join(outputDir, entry);
    const target = join(outputDir, entry.slice(REPLACED.length));
    const present = await stat(target).then(
      () => true,
      () => false,
    );
    if (present) await rm(former, { recursive: true, force: true });
    else await rename(former, target);
  }
}

function ignoreMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== 'ENOENT') throw error;
}
