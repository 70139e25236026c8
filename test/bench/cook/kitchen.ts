import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { cookImage, loadRecipe, type Recipe } from '#libs/images/cook';
import { choosePackages, fetchPackages } from '../../../libs/images/cook/package-state.ts';
import { runTool } from '../../../libs/images/cook/run-tool.ts';

const CATALOG = new URL('../../../catalog', import.meta.url).pathname;
const INSTALLED_WITHIN_SECONDS = 3600;

/** Where both sides cook: the same packages, downloaded before, on the same file system. */
export class Kitchen {
  private readonly outputDir: string;

  constructor(private readonly folder: string) {
    this.outputDir = join(folder, 'images');
  }

  recipe(name: string): Promise<Recipe> {
    return loadRecipe(CATALOG, name);
  }

  /** Downloads what a recipe takes, and cooks it once: from then on its base is kept. */
  async prepare(recipe: Recipe): Promise<void> {
    await cookImage({ recipe, outputDir: this.outputDir });
  }

  /** A cook from nothing, that of its base included. @returns seconds until its disk starts by itself */
  cookFromNothing(recipe: Recipe): Promise<number> {
    return secondsOf(() => cookImage({ recipe, outputDir: this.outputDir, force: true }));
  }

  /** A cook upon the base that was kept. @returns seconds until its disk starts by itself */
  async cookUponItsBase(recipe: Recipe): Promise<number> {
    await rm(join(this.outputDir, recipe.name), { recursive: true, force: true });
    return secondsOf(() => cookImage({ recipe, outputDir: this.outputDir }));
  }

  /** What mmdebstrap takes for the same packages. @returns seconds until they are installed in a folder */
  async installBare({ name, release, packages }: Recipe): Promise<number> {
    const source = { cacheDir: join(this.outputDir, '.cache') };
    const repository = join(this.folder, `packages-${name}`);
    const root = join(this.folder, `root-${name}`);
    await fetchPackages(await choosePackages(release, packages, source), repository, source);
    await mkdir(root);
    try {
      return await secondsOf(() =>
        runTool(
          [
            ...(['mmdebstrap', '--mode=root', '--format=directory', '--variant=apt'] as const),
            '--hook-dir=/usr/share/mmdebstrap/hooks/maybe-merged-usr',
            `--include=${packages.join(',')}`,
            '--aptopt=APT::Install-Recommends "false"',
            '--dpkgopt=force-unsafe-io',
            ...['--', release, root, `deb [trusted=yes] copy:${repository} ./`],
          ],
          { timeoutSeconds: INSTALLED_WITHIN_SECONDS },
        ),
      );
    } finally {
      await rm(root, { recursive: true, force: true });
      await rm(repository, { recursive: true, force: true });
    }
  }
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}
