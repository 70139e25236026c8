import { createHash, randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Recipe } from '../recipe/recipe.ts';
import { type Built, build } from './build.ts';
import { convertBuilt } from './convert-built.ts';
import { cookError } from './cook.errors.ts';
import { withLock } from './cook-lock.ts';
import { identitiesOf } from './identities.ts';
import { type CookedImage, clearAbandoned, putInPlace, readCookedImage } from './image-folder.ts';
import { writeImagePapers } from './image-papers.ts';
import { type CookLimits, limitsFor } from './limits.ts';
import { pruneArchives } from './package-archives.ts';
import { guestSourcesList } from './package-sources.ts';
import { choosePackages, fetchPackages, kernelOf, type PackageState } from './package-state.ts';
import { type CookProgress, progressTeller } from './progress.ts';
import { assertRoom, failureIn } from './room.ts';
import { hasEarlyOf, isKept, isPartOf, keepRoot, rootArchivePath } from './root-archive.ts';
import { checkMachine } from './tools.ts';
import type { Job } from './within/job.ts';

/** Raised whenever this code makes other bytes of the same recipe and packages. */
const COOK_VERSION = 7;

const ASKING = 'asking for the newest packages';

export interface CookOptions {
  readonly recipe: Recipe;
  /** The image goes to `<outputDir>/<folder>/`; downloaded packages are kept in `<outputDir>/.cache` as long as they are used. */
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

/** Where packages come from. Tests add some of their own to those of Debian. */
export interface PackageSupply {
  readonly choose: typeof choosePackages;
  readonly fetch: typeof fetchPackages;
}

/** A root that was kept, and how many packages are installed in it. */
interface Base {
  readonly archive: string;
  readonly packageCount: number;
}

type BuildPlan = Pick<Job, 'epochSeconds' | 'keepsRoot' | 'disk'> & { readonly base?: Base | undefined };

/**
 * Turns a recipe into a golden image: a whole disk that starts by itself on BIOS and UEFI. The same recipe and
 * the same packages give the same disk, byte for byte. Packages and their scripts run behind a wall. A cook that fails or is
 * killed leaves the former image as it was and no half one; two cooks of one folder take turns.
 * @throws DomainError with a {@link CookErrorCode}
 */
export function cookImage(options: CookOptions): Promise<CookedImage> {
  return cookFrom({ choose: choosePackages, fetch: fetchPackages }, options);
}

/** {@link cookImage} with packages from elsewhere. */
export async function cookFrom(supply: PackageSupply, options: CookOptions): Promise<CookedImage> {
  return inTurn(options, async (outputDir) => {
    await clearAbandoned(outputDir);
    await pruneArchives(cacheIn(outputDir));
    return new Cook(supply, { ...options, outputDir }).run();
  });
}

type Turn = Pick<CookOptions, 'outputDir' | 'signal' | 'onProgress' | 'onLine'>;

/** Works in the folder of cooks when no other one does. */
async function inTurn<T>(turn: Turn, work: (outputDir: string) => Promise<T>): Promise<T> {
  await checkMachine();
  const { signal, onProgress, onLine } = turn;
  const outputDir = resolve(turn.outputDir);
  const message = 'waiting for another cook in the same folder';
  const onWait = () => {
    onProgress?.({ stage: 'waiting', percent: 0, message });
    onLine?.(message);
  };
  return withLock(join(outputDir, '.cook.lock'), { signal, onWait }, () => work(outputDir));
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
export async function planCook(options: Turn & Pick<CookOptions, 'recipe' | 'mirror'>): Promise<CookPlan> {
  const { recipe, mirror, signal, onProgress } = options;
  return inTurn(options, async (outputDir) => {
    onProgress?.({ stage: 'choose', percent: 0, message: ASKING });
    const cacheDir = cacheIn(outputDir);
    const state = await choosePackages(recipe.release, recipe.packages, { cacheDir, mirror, signal });
    return { fingerprint: fingerprintOf(recipe, state), packageCount: state.packages.length };
  });
}

/** One run of the cook, from package lists to the finished folder. */
class Cook {
  readonly #supply: PackageSupply;
  readonly #options: CookOptions;
  readonly #cacheDir: string;
  readonly #workDir: string;
  readonly #folder: string;
  readonly #tell: ReturnType<typeof progressTeller>;

  constructor(supply: PackageSupply, options: CookOptions) {
    this.#supply = supply;
    this.#options = options;
    this.#cacheDir = cacheIn(options.outputDir);
    this.#workDir = join(options.outputDir, `.cooking-${options.recipe.name}-${randomUUID()}`);
    this.#folder = options.folder ?? options.recipe.name;
    this.#tell = progressTeller((progress) => options.onProgress?.(progress));
  }

  async run(): Promise<CookedImage> {
    const { recipe, outputDir, force } = this.#options;
    this.#tell('choose', 0, ASKING);
    const state = await this.#choose(recipe);
    const fingerprint = fingerprintOf(recipe, state);
    const present = await readCookedImage(outputDir, this.#folder);
    if (present?.manifest.fingerprint === fingerprint && !force) {
      this.#tell('done', 0, `${recipe.name} is up to date`);
      return present;
    }
    try {
      await assertRoom(outputDir);
      await this.#cook(state, fingerprint);
    } catch (error) {
      throw await failureIn(outputDir, error);
    } finally {
      await rm(this.#workDir, { recursive: true, force: true });
    }
    const cooked = await readCookedImage(outputDir, this.#folder);
    if (cooked === undefined) throw cookError('cook_step_failed', 'The finished image cannot be read back.');
    this.#tell('done', 0, `${recipe.name} is cooked: ${cooked.sha256}`);
    return { ...cooked, unchanged: false };
  }

  async #cook(state: PackageState, fingerprint: string): Promise<void> {
    const { recipe, outputDir, signal } = this.#options;
    const kernel = kernelOf(state);
    await mkdir(this.#workDir, { mode: 0o700 });
    const epochSeconds = await this.#fetch(recipe, state);
    const base = await this.#baseOf(recipe, state);
    const sourcesList = guestSourcesList(state.sources);
    const { rootArchive, disk } = await this.#build(recipe, state, {
      ...{ base, epochSeconds, disk: { identities: identitiesOf(fingerprint), kernel, sourcesList } },
      // Others may stand on it; what stands on another one is seldom stood on.
      keepsRoot: !recipe.base,
    });
    if (!recipe.base) await keepRoot(rootArchive, this.#archiveOf(recipe, state), recipe);
    const folder = join(this.#workDir, 'image');
    await mkdir(folder);
    await convertBuilt({
      ...{ path: disk, to: join(folder, 'disk.qcow2'), diskGib: recipe.minimum.diskGib, signal },
      onPercent: (percent) => this.#tell('convert', percent * 0.8, 'writing disk.qcow2'),
    });
    await rm(disk);
    this.#tell('convert', 80, 'checksums');
    await writeImagePapers(folder, recipe, state, { fingerprint, kernel, epochSeconds });
    await putInPlace(folder, join(outputDir, this.#folder));
  }

  #choose({ release, packages }: Recipe): Promise<PackageState> {
    return this.#supply.choose(release, packages, this.#source());
  }

  /** @returns the time that the image's files carry, in seconds since 1970 */
  async #fetch(recipe: Recipe, state: PackageState): Promise<number> {
    let fetched = 0;
    this.#tell('fetch', 0, `${state.packages.length} packages`);
    const onLine = (line: string) => {
      if (!line.startsWith('Get:')) return;
      fetched += 1;
      this.#tell('fetch', (fetched / state.packages.length) * 100, line.replace(/^Get:\d+ \S+ /, ''));
    };
    return this.#supply.fetch(state, this.#repositoryOf(recipe), { ...this.#source(), onLine });
  }

  /** The installed root that a recipe begins with; undefined where it has no base, or changes what that was installed by. */
  async #baseOf({ base, files }: Recipe, state: PackageState): Promise<Base | undefined> {
    if (!base || !hasEarlyOf(base, files)) return undefined;
    const own = await this.#choose(base);
    if (!isPartOf(own, state)) return undefined;
    const archive = this.#archiveOf(base, own);
    if (this.#options.force || !(await isKept(archive))) {
      const epochSeconds = await this.#fetch(base, own);
      const { rootArchive } = await this.#build(base, own, { epochSeconds, keepsRoot: true });
      await keepRoot(rootArchive, archive, base);
    }
    return { archive, packageCount: own.packages.length };
  }

  async #build(recipe: Recipe, state: PackageState, { base, ...plan }: BuildPlan): Promise<Built> {
    const { limits, signal, onLine } = this.#options;
    const installed = state.packages.map(({ name, version }) => `${name} ${version}`);
    const { release, packages, files, remove, services, minimum } = recipe;
    return build({
      job: {
        ...plan,
        ...{ recipe: { release, packages, remove, services, minimum }, files },
        ...{ installed, inBase: base?.packageCount },
      },
      repositoryDir: this.#repositoryOf(recipe),
      baseArchive: base?.archive,
      workDir: join(this.#workDir, `build-${recipe.sha256}`),
      limits: limitsFor(recipe, limits),
      signal,
      onProgress: this.#tell,
      onLine: (line) => onLine?.(line),
    });
  }

  #source() {
    const { mirror, signal } = this.#options;
    return { cacheDir: this.#cacheDir, mirror, signal };
  }

  #archiveOf(recipe: Recipe, state: PackageState): string {
    return rootArchivePath(this.#cacheDir, recipe, state, COOK_VERSION);
  }

  /** A recipe may be called as its base is. */
  #repositoryOf({ sha256 }: Recipe): string {
    return join(this.#workDir, `packages-${sha256}`);
  }
}

function cacheIn(outputDir: string): string {
  return join(outputDir, '.cache');
}

function fingerprintOf(recipe: Recipe, state: PackageState): string {
  const sources = state.sources.map(({ uri, suite }) => `${uri} ${suite}`);
  const parts = [COOK_VERSION, recipe.sha256, state.sha256, ...sources];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
