import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rm, statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { BYTES_PER_GIB, DomainError } from '#libs/kernel';
import type { Recipe } from '../recipe/recipe.ts';
import { writeBootMenu, writeGrubFiles } from './boot-loader.ts';
import { bootstrap } from './bootstrap.ts';
import { cookError } from './cook.errors.ts';
import { withLock } from './cook-lock.ts';
import { writeDisk } from './disk.ts';
import { identitiesOf } from './identities.ts';
import { type CookedImage, clearAbandoned, putInPlace, readCookedImage } from './image-folder.ts';
import { writeImagePapers } from './image-papers.ts';
import type { CookLimits } from './limits.ts';
import { choosePackages, fetchPackages, type PackageState } from './package-state.ts';
import { plainLine } from './plain-line.ts';
import { isKept, isPartOf, keepRoot, rootArchivePath } from './root-archive.ts';
import { assertInstalled, furnish, type RootTreeOptions, scrub, writePreset } from './root-tree.ts';
import { runTool } from './run-tool.ts';
import { checkMachine } from './tools.ts';

/** Raised whenever this code makes other bytes of the same recipe and packages. */
const COOK_VERSION = 5;

const NEEDED_BYTES = 4 * BYTES_PER_GIB;
const NEARLY_FULL_BYTES = 64 * 1024 ** 2;

export type CookStage = 'choose' | 'fetch' | 'install' | 'furnish' | 'disk' | 'convert' | 'done';

export interface CookProgress {
  readonly stage: CookStage;
  /** Of the whole cook, 0 to 100; never falls. */
  readonly percent: number;
  readonly message: string;
}

export interface CookOptions {
  readonly recipe: Recipe;
  /** The image goes to `<outputDir>/<folder>/`; downloaded packages are kept in `<outputDir>/.cache`. */
  readonly outputDir: string;
  /** The recipe's name unless told. */
  readonly folder?: string;
  /** The URI of a Debian mirror in place of the machine's own apt sources. */
  readonly mirror?: string | undefined;
  /** Cook even when an image of the same recipe and packages is there. */
  readonly force?: boolean;
  /** Each in place of {@link limitsFor}'s. */
  readonly limits?: Partial<CookLimits> | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: (progress: CookProgress) => void;
  /** What apt, dpkg and the packages' scripts print, a line at a time: at most 400 printable characters. */
  readonly onLine?: ((line: string) => void) | undefined;
}

/** Where each stage begins in the whole, in percent: measured shares of a cook on two cores. */
const stageStart: Readonly<Record<CookStage, number>> = {
  choose: 0,
  fetch: 4,
  install: 15,
  furnish: 75,
  disk: 78,
  convert: 92,
  done: 100,
};
const stages = Object.keys(stageStart) as CookStage[];

/**
 * Turns a recipe into a golden image: a whole disk that starts by itself on BIOS and UEFI. The same recipe and
 * the same packages give the same disk, byte for byte. A cook that fails or is killed leaves the former image
 * as it was and no half one; two cooks of one folder take turns.
 * @throws DomainError with a {@link CookErrorCode}
 */
export async function cookImage(options: CookOptions): Promise<CookedImage> {
  await checkMachine();
  const outputDir = resolve(options.outputDir);
  return withLock(join(outputDir, '.cook.lock'), options.signal, async () => {
    await clearAbandoned(outputDir);
    return new Cook({ ...options, outputDir }).run();
  });
}

/** What a cook would make now. */
export interface CookPlan {
  /** Recipe, packages and the cook's own version together: images with the same one are the same, byte for byte. */
  readonly fingerprint: string;
  readonly packageCount: number;
}

/**
 * Asks which packages an image of the recipe would get now. Nothing is downloaded but the archives' lists, where they are old.
 * @throws DomainError with a {@link CookErrorCode}
 */
export async function planCook(
  options: Pick<CookOptions, 'recipe' | 'outputDir' | 'mirror' | 'signal'>,
): Promise<CookPlan> {
  await checkMachine();
  const { recipe, mirror, signal } = options;
  const outputDir = resolve(options.outputDir);
  return withLock(join(outputDir, '.cook.lock'), signal, async () => {
    const cacheDir = join(outputDir, '.cache');
    const state = await choosePackages(recipe.release, recipe.packages, { cacheDir, mirror, signal });
    return { fingerprint: fingerprintOf(recipe, state), packageCount: state.packages.length };
  });
}

/** One run of the cook, from package lists to the finished folder. */
class Cook {
  readonly #options: CookOptions;
  readonly #cacheDir: string;
  readonly #workDir: string;
  readonly #folder: string;
  #percent = 0;

  constructor(options: CookOptions) {
    this.#options = options;
    this.#cacheDir = join(options.outputDir, '.cache');
    this.#workDir = join(options.outputDir, `.cooking-${options.recipe.name}-${randomUUID()}`);
    this.#folder = options.folder ?? options.recipe.name;
  }

  async run(): Promise<CookedImage> {
    const { recipe, outputDir, force } = this.#options;
    const state = await this.#choose();
    const fingerprint = fingerprintOf(recipe, state);
    const present = await readCookedImage(outputDir, this.#folder);
    if (present?.manifest.fingerprint === fingerprint && !force) {
      this.#tell('done', 0, `${recipe.name} is up to date`);
      return present;
    }
    try {
      await this.#checkSpace();
      await this.#cook(state, fingerprint);
    } catch (error) {
      throw await this.#explain(error);
    } finally {
      await rm(this.#workDir, { recursive: true, force: true });
    }
    const cooked = await readCookedImage(outputDir, this.#folder);
    if (cooked === undefined) throw cookError('cook_step_failed', 'The finished image cannot be read back.');
    this.#tell('done', 0, `${recipe.name} is cooked: ${cooked.sha256}`);
    return { ...cooked, unchanged: false };
  }

  async #choose(): Promise<PackageState> {
    const { recipe, mirror, signal } = this.#options;
    this.#tell('choose', 0, 'asking for the newest packages');
    return choosePackages(recipe.release, recipe.packages, { cacheDir: this.#cacheDir, mirror, signal });
  }

  async #cook(state: PackageState, fingerprint: string): Promise<void> {
    const { recipe, outputDir, signal } = this.#options;
    const work = (name: string) => join(this.#workDir, name);
    await mkdir(work('image'), { recursive: true });
    const epochSeconds = await this.#fetch(state, this.#repositoryOf(recipe));
    const identities = identitiesOf(fingerprint);
    const tree = { rootDir: work('root'), recipe, sources: state.sources, identities, epochSeconds, signal };
    await this.#install(state, tree);
    // Others may stand on it; what stands on another one is seldom stood on.
    if (!recipe.base) await this.#keep(recipe, state, tree.rootDir);
    const kernel = await this.#furnish(state, tree);
    await writeDisk({
      ...{ rootDir: tree.rootDir, rawPath: work('disk.raw'), scratchDir: work('scratch') },
      ...{ diskGib: recipe.minimum.diskGib, identities, epochSeconds, signal },
      onProgress: (percent, message) => this.#tell('disk', percent, message),
    });
    await this.#convert(work('disk.raw'), work('image/disk.qcow2'));
    const made = { fingerprint, kernel, epochSeconds };
    await writeImagePapers(work('image'), recipe, state, made);
    await putInPlace(work('image'), join(outputDir, this.#folder));
  }

  async #fetch(state: PackageState, repositoryDir: string): Promise<number> {
    const { mirror, signal } = this.#options;
    let fetched = 0;
    this.#tell('fetch', 0, `${state.packages.length} packages`);
    const onLine = (line: string) => {
      if (!line.startsWith('Get:')) return;
      fetched += 1;
      this.#tell('fetch', (fetched / state.packages.length) * 100, line.replace(/^Get:\d+ \S+ /, ''));
    };
    return fetchPackages(state, repositoryDir, { cacheDir: this.#cacheDir, mirror, signal, onLine });
  }

  /** A recipe's packages, upon those of its base; the same bytes whether the base's root was kept or is made now. */
  async #install(state: PackageState, tree: Omit<RootTreeOptions, 'sources' | 'identities'>): Promise<void> {
    const { recipe, rootDir, epochSeconds, signal } = tree;
    const base = await this.#baseOf(recipe, state);
    const presetDir = `${rootDir}.preset`;
    await writePreset(presetDir, recipe);
    const packageCount = state.packages.length - (base?.packageCount ?? 0);
    this.#tell('install', 0, `installing ${packageCount} packages`);
    await bootstrap({
      ...{ release: recipe.release, packages: ['usr-is-merged', ...recipe.packages], packageCount },
      ...{ repositoryDir: this.#repositoryOf(recipe), base: base?.archive },
      ...{ rootDir, presetDir, temporaryDir: this.#workDir, epochSeconds, signal },
      onProgress: (percent, message) => this.#tell('install', percent, message),
      onLine: (line) => this.#options.onLine?.(plainLine(line)),
    });
  }

  /** The installed root that a recipe begins with; undefined where it has no base, or changes packages of it. */
  async #baseOf({ base }: Recipe, state: PackageState) {
    if (!base) return undefined;
    const { mirror, signal } = this.#options;
    const own = await choosePackages(base.release, base.packages, {
      cacheDir: this.#cacheDir,
      mirror,
      signal,
    });
    if (!isPartOf(own, state)) return undefined;
    const archive = this.#archiveOf(base, own);
    if (this.#options.force || !(await isKept(archive))) {
      const epochSeconds = await this.#fetch(own, this.#repositoryOf(base));
      const rootDir = join(this.#workDir, `base-${base.name}`);
      await this.#install(own, { rootDir, recipe: base, epochSeconds, signal });
      await this.#keep(base, own, rootDir);
      await rm(rootDir, { recursive: true });
    }
    return { archive, packageCount: own.packages.length };
  }

  #archiveOf(recipe: Recipe, state: PackageState): string {
    return rootArchivePath(this.#cacheDir, recipe, state, COOK_VERSION);
  }

  async #keep(recipe: Recipe, state: PackageState, rootDir: string): Promise<void> {
    const { signal } = this.#options;
    await keepRoot(rootDir, this.#archiveOf(recipe, state), { cacheDir: this.#cacheDir, recipe, signal });
  }

  #repositoryOf({ name }: Recipe): string {
    return join(this.#workDir, `packages-${name}`);
  }

  async #furnish(state: PackageState, tree: RootTreeOptions): Promise<string> {
    this.#tell('furnish', 0, 'files and services of the recipe');
    await assertInstalled(state, tree.rootDir);
    await furnish(tree);
    const kernel = await writeBootMenu(tree.rootDir, tree.identities);
    await writeGrubFiles(tree.rootDir, { timeoutSeconds: 120, signal: tree.signal });
    this.#tell('furnish', 60, 'removing what must not be the same on every server');
    await scrub(tree);
    return kernel;
  }

  async #convert(rawPath: string, diskPath: string): Promise<void> {
    this.#tell('convert', 0, 'writing disk.qcow2');
    const argv = [
      'qemu-img',
      'convert',
      '-f',
      'raw',
      '-O',
      'qcow2',
      '-o',
      'compat=1.1,lazy_refcounts=off',
    ] as const;
    await runTool([...argv, rawPath, diskPath], { timeoutSeconds: 1800, signal: this.#options.signal });
    this.#tell('convert', 60, 'checksums');
  }

  async #checkSpace(): Promise<void> {
    const free = await freeBytes(this.#options.outputDir);
    if (free < NEEDED_BYTES) throw this.#noSpace(free);
  }

  /** A tool that found no space says so in words; the file system says it in numbers. */
  async #explain(error: unknown): Promise<unknown> {
    if (error instanceof DomainError && error.code !== 'cook_step_failed') return error;
    const free = await freeBytes(this.#options.outputDir);
    return free < NEARLY_FULL_BYTES ? this.#noSpace(free, error) : error;
  }

  #noSpace(free: number, cause?: unknown): DomainError {
    const inGib = (bytes: number) => (bytes / BYTES_PER_GIB).toFixed(1);
    return cookError(
      'cook_no_space',
      `${this.#options.outputDir} has ${inGib(free)} GiB free and a cook needs ${inGib(NEEDED_BYTES)}. ` +
        'Make room, or choose another folder.',
      { cause, details: { freeBytes: free, neededBytes: NEEDED_BYTES } },
    );
  }

  #tell(stage: CookStage, percentOfStage: number, message: string): void {
    const next = stages[stages.indexOf(stage) + 1];
    const start = stageStart[stage];
    const end = next === undefined ? start : stageStart[next];
    this.#percent = Math.max(this.#percent, start + ((end - start) * percentOfStage) / 100);
    this.#options.onProgress?.({ stage, percent: this.#percent, message });
  }
}

function fingerprintOf(recipe: Recipe, state: PackageState): string {
  const sources = state.sources.map(({ uri, suite }) => `${uri} ${suite}`);
  const parts = [COOK_VERSION, recipe.sha256, state.sha256, ...sources];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}
