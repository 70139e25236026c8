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

  constructor(
    private readonly folder: string,
    private readonly signal: AbortSignal,
  ) {
    this.outputDir = join(folder, 'images');
  }

  recipe(name: string): Promise<Recipe> {
    return loadRecipe(CATALOG, name);
  }

  /** Downloads what a recipe takes, and cooks it once: from then on its base is kept. */
  async prepare(recipe: Recipe): Promise<void> {
    await this.cook(recipe);
  }

  /** A cook from nothing, that of its base included. @returns seconds until its disk starts by itself */
  cookFromNothing(recipe: Recipe): Promise<number> {
    return secondsOf(() => this.cook(recipe, true));
  }

  /** A cook upon the base that was kept. @returns seconds until its disk starts by itself */
  async cookUponItsBase(recipe: Recipe): Promise<number> {
    await rm(join(this.outputDir, recipe.name), { recursive: true, force: true });
    return secondsOf(() => this.cook(recipe));
  }

  /** What mmdebstrap takes for the same packages. @returns seconds until they are installed in a folder */
  async installBare({ name, release, packages }: Recipe): Promise<number> {
    const source = { cacheDir: join(this.outputDir, '.cache'), signal: this.signal };
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
          { timeoutSeconds: INSTALLED_WITHIN_SECONDS, signal: this.signal },
        ),
      );
    } finally {
      await rm(root, { recursive: true, force: true });
      await rm(repository, { recursive: true, force: true });
    }
  }

  private cook(recipe: Recipe, force = false): Promise<unknown> {
    return cookImage({ recipe, outputDir: this.outputDir, force, signal: this.signal });
  }
}

async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}
