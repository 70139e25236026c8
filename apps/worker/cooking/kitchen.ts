import { readdir, readFile, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ImageContents } from '#libs/images';
import { type CookedImage, cookImage, planCook, readCookedImage } from '#libs/images/cook';
import type { ChosenPackages, CookedDisk, CookOrder, CookWatch, ImageCook } from '#libs/recipes';

/** Not to be confused with the folder of a recipe of the catalog, whose name has no dot. */
const FOLDER = 'cook.';
const FOLDERS = /^cook\.([1-9]\d{0,15})$/;

export interface KitchenOptions {
  /** Of builds, of what was cooked until hosts have it, and of downloaded packages. */
  readonly folder: string;
  /** The URI of a Debian mirror in place of the machine's own apt sources. */
  readonly mirror: string | undefined;
  readonly cookMinutes: number;
}

/** Cooks customers' recipes on this machine. One folder takes one cook at a time: others wait. */
export class Kitchen implements ImageCook {
  private readonly options: KitchenOptions;
  private readonly root: string;

  constructor(options: KitchenOptions) {
    this.options = options;
    this.root = resolve(options.folder);
  }

  choose({ recipe }: CookOrder, watch: CookWatch): Promise<ChosenPackages> {
    return planCook({ recipe, outputDir: this.root, mirror: this.options.mirror, ...watch });
  }

  async cook({ cookId, recipe }: CookOrder, watch: CookWatch): Promise<CookedDisk> {
    const present = await this.find(cookId);
    if (present) return present;
    const cooked = await cookImage({
      ...{ recipe, outputDir: this.root, folder: folderOf(cookId), mirror: this.options.mirror },
      limits: { wallSeconds: this.options.cookMinutes * 60 },
      ...watch,
    });
    return diskOf(cooked);
  }

  async find(cookId: number): Promise<CookedDisk | undefined> {
    const cooked = await readCookedImage(this.root, folderOf(cookId));
    return cooked && diskOf(cooked);
  }

  async contents(cookId: number): Promise<ImageContents> {
    const cooked = await readCookedImage(this.root, folderOf(cookId));
    if (!cooked) throw new Error(`cook ${cookId} has left no disk`);
    return { packages: cooked.manifest.packages, sbom: await readFile(cooked.sbomPath, 'utf8') };
  }

  async remove(cookId: number): Promise<void> {
    await rm(join(this.root, folderOf(cookId)), { recursive: true, force: true });
  }

  async present(): Promise<readonly number[]> {
    const names = await readdir(this.root).catch(() => []);
    const ids = names.map((name) => Number(FOLDERS.exec(name)?.[1]));
    return ids.filter(Number.isSafeInteger);
  }
}

function folderOf(cookId: number): string {
  return `${FOLDER}${cookId}`;
}

function diskOf({
  diskPath: path,
  sha256,
  fileSizeBytes,
  virtualSizeBytes,
  manifest,
}: CookedImage): CookedDisk {
  return { path, sha256, fileSizeBytes, virtualSizeBytes, fingerprint: manifest.fingerprint };
}
