import { readdir, rename, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type Clock, inSeconds, systemClock } from '#libs/kernel';
import { type ExportManifest, readExport, sweepHalfExports } from './files/index.ts';

const GONE = '.gone';
const DAY_SECONDS = 86_400;

/** A finished export and where its bytes lie. */
export interface StoredExport {
  readonly manifest: ExportManifest;
  readonly path: string;
  readonly madeAt: Date;
}

/** The folder of all exports: one folder for each, named by its id. */
export class ExportStore {
  private readonly root: string;
  private readonly keepDays: number;
  private readonly clock: Clock;

  constructor(root: string, keepDays: number, clock: Clock = systemClock) {
    this.root = resolve(root);
    this.keepDays = keepDays;
    this.clock = clock;
  }

  /** Where `makeExport` puts one. */
  folderOf(exportId: number): string {
    return join(this.root, String(exportId));
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

  /** Absent is success. Downloads under way end well: they hold the file open. */
  async remove(exportId: number): Promise<void> {
    const folder = this.folderOf(exportId);
    await sweepHalfExports(this.root, String(exportId));
    await rename(folder, `${folder}${GONE}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
    await rm(`${folder}${GONE}`, { recursive: true, force: true });
  }

  /** Removes exports that have been kept for long enough, and gives their ids. */
  async removeExpired(): Promise<number[]> {
    const keepFrom = inSeconds(this.clock, -this.keepDays * DAY_SECONDS);
    const names = await readdir(this.root).catch(() => []);
    const removed: number[] = [];
    for (const name of names) {
      const exportId = Number(name.replace(GONE, ''));
      if (!Number.isSafeInteger(exportId)) continue;
      const stored = await this.find(exportId);
      if (stored ? stored.madeAt >= keepFrom : !name.endsWith(GONE)) continue;
      await this.remove(exportId);
      if (stored) removed.push(exportId);
    }
    return removed;
  }
}
