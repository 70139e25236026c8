import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  type ExportManifest,
  type ExportOrder,
  makeExport,
  readExport,
  sweepHalfExports,
} from './files/index.ts';

const GONE = '.gone';
/** Where the flattened disk lies while the customer's file is made of it; `.half` while it arrives. */
const DISK = '.disk.qcow2';

/** A finished export and where its bytes lie. */
export interface StoredExport {
  readonly manifest: ExportManifest;
  readonly path: string;
  readonly madeAt: Date;
}

/** The folder of all exports: one folder for each, named by its id. */
export class ExportStore {
  private readonly root: string;

  constructor(root: string) {
    this.root = resolve(root);
  }

  /** Where `make` puts one. */
  folderOf(exportId: number): string {
    return join(this.root, String(exportId));
  }

  /** Where the disk of an export is brought to, in a folder that is there. */
  async diskPath(exportId: number): Promise<string> {
    await mkdir(this.root, { recursive: true, mode: 0o700 });
    return `${this.folderOf(exportId)}${DISK}`;
  }

  /** True when the disk has arrived. */
  async hasDisk(exportId: number): Promise<boolean> {
    const found = await stat(`${this.folderOf(exportId)}${DISK}`).catch(() => undefined);
    return found !== undefined;
  }

  /** Makes the customer's file of the disk that was brought here, which goes. May be repeated. */
  async make(exportId: number, order: Omit<ExportOrder, 'diskPath' | 'folder'>): Promise<ExportManifest> {
    const diskPath = await this.diskPath(exportId);
    const manifest = await makeExport({ ...order, diskPath, folder: this.folderOf(exportId) });
    await rm(diskPath, { force: true });
    return manifest;
  }

  /** Undefined where it is not finished, or removed. */
  async find(exportId: number): Promise<StoredExport | undefined> {
    const folder = this.folderOf(exportId);
    const manifest = await readExport(folder);
    if (!manifest) return undefined;
    const path = join(folder, manifest.file.name);
    const facts = await stat(path).catch(() => undefined);
    return facts && { manifest, path, madeAt: facts.mtime };
  }

  /** Removes all of an export, also what is half made. Downloads under way end well: they hold the file open. */
  async remove(exportId: number): Promise<void> {
    const folder = this.folderOf(exportId);
    await sweepHalfExports(this.root, String(exportId));
    for (const ending of [DISK, `${DISK}.half`]) await rm(`${folder}${ending}`, { force: true });
    await rename(folder, `${folder}${GONE}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await rm(`${folder}${GONE}`, { recursive: true, force: true });
  }

  /** Ids of all exports of which anything is here, whole or not. */
  async ids(): Promise<number[]> {
    const names = await readdir(this.root).catch(() => []);
    const ids = names.map((name) => Number(/^[1-9]\d{0,15}(?=\.|$)/.exec(name)?.[0]));
    return [...new Set(ids.filter(Number.isSafeInteger))];
  }
}
