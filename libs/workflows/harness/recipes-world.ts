import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ImageContents } from '#libs/images';
import { BYTES_PER_GIB } from '#libs/kernel';
import { type CookedDisk, type CookOrder, type CookWatch, type ImageCook, Shelf } from '#libs/recipes';
import type { RecipeDeps } from '../workflow-deps.ts';

const CATALOG = new URL('../../../catalog', import.meta.url).pathname;
/** Beside cooks, what stands for the archive: its version. */
const ARCHIVE = 'archive';

/** Beside the fleet's folder, all folders in which are hosts. */
export function kitchenFolder(folder: string): string {
  return `${folder}-kitchen`;
}

/** What cooks work with in a world of this folder: the real catalog, and a kitchen that costs nothing. */
export function recipesIn(folder: string): RecipeDeps {
  return {
    shelf: new Shelf(CATALOG),
    kitchen: new CheapKitchen(kitchenFolder(folder)),
    settings: { recipesPerProject: 5, cooksAtOnce: 1, cookMinutes: 60, currency: 'eur' },
  };
}

/** Packages have another version from now on. */
export async function renewArchive(folder: string, version: string): Promise<void> {
  await mkdir(kitchenFolder(folder), { recursive: true });
  await writeFile(join(kitchenFolder(folder), ARCHIVE), version);
}

/**
 * Behaves about files as the real one does: a disk is there whole or not at all, and is the same for the same recipe and
 * archive. The harness tries the workflow; other specs try the cook.
 */
class CheapKitchen implements ImageCook {
  private readonly root: string;

  constructor(root: string) {
    this.root = root;
  }

  async choose(order: CookOrder, { onProgress }: CookWatch) {
    onProgress({ stage: 'choose', percent: 50, message: 'asking' });
    return { fingerprint: await this.fingerprintOf(order), packageCount: order.recipe.packages.length };
  }

  async cook(order: CookOrder, { onLine, onProgress, signal }: CookWatch): Promise<CookedDisk> {
    const present = await this.find(order.cookId);
    if (present) return present;
    signal.throwIfAborted();
    const fingerprint = await this.fingerprintOf(order);
    const version = await this.archive();
    const packages = order.recipe.packages.map((name) => packageOf(name, version));
    for (const { name } of packages) onLine(`Setting up ${name} (${version}) …`);
    onProgress({ stage: 'install', percent: 50, message: 'installing' });
    const folder = this.folderOf(order.cookId);
    await rm(`${folder}.new`, { recursive: true, force: true });
    await mkdir(`${folder}.new`, { recursive: true });
    await writeFile(join(`${folder}.new`, 'disk.qcow2'), fingerprint.repeat(8));
    await writeFile(join(`${folder}.new`, 'contents.json'), JSON.stringify({ packages, sbom: '{}' }));
    await writeFile(join(`${folder}.new`, 'fingerprint'), fingerprint);
    signal.throwIfAborted();
    await rename(`${folder}.new`, folder);
    return this.needed(order.cookId);
  }

  async find(cookId: number): Promise<CookedDisk | undefined> {
    const path = join(this.folderOf(cookId), 'disk.qcow2');
    const facts = await stat(path).catch(() => undefined);
    if (!facts) return undefined;
    const bytes = await readFile(path);
    const fingerprint = await readFile(join(this.folderOf(cookId), 'fingerprint'), 'utf8');
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { path, sha256, fingerprint, fileSizeBytes: facts.size, virtualSizeBytes: 4 * BYTES_PER_GIB };
  }

  async contents(cookId: number): Promise<ImageContents> {
    return JSON.parse(await readFile(join(this.folderOf(cookId), 'contents.json'), 'utf8'));
  }

  async remove(cookId: number): Promise<void> {
    for (const ending of ['', '.new']) {
      await rm(`${this.folderOf(cookId)}${ending}`, { recursive: true, force: true });
    }
  }

  async present(): Promise<readonly number[]> {
    const names = await readdir(this.root).catch(() => []);
    return names.filter((name) => name !== ARCHIVE).map((name) => Number(name.split('.', 1)[0]));
  }

  private async needed(cookId: number): Promise<CookedDisk> {
    const disk = await this.find(cookId);
    if (!disk) throw new Error('the disk is not there');
    return disk;
  }

  private async fingerprintOf({ recipe }: CookOrder): Promise<string> {
    return createHash('sha256')
      .update(`${recipe.sha256} ${await this.archive()}`)
      .digest('hex');
  }

  private archive(): Promise<string> {
    return readFile(join(this.root, ARCHIVE), 'utf8').catch(() => '1.0');
  }

  private folderOf(cookId: number): string {
    return join(this.root, String(cookId));
  }
}

function packageOf(name: string, version: string): ImageContents['packages'][number] {
  const sha256 = createHash('sha256').update(`${name} ${version}`).digest('hex');
  return { name, version, architecture: 'amd64', source: name, sha256 };
}
