import { createHash } from 'node:crypto';
import { link, mkdir, open, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DomainError } from '#libs/kernel';
import { recipeError } from '../recipe/recipe.errors.ts';
import { cookError } from './cook.errors.ts';
import { archivesIn } from './package-archives.ts';
import { type ChosenPackage, packagesIndex, parseIndex } from './package-index.ts';
import { type PackageSource, packageSources, sourcesList } from './package-sources.ts';
import { runTool } from './run-tool.ts';

export interface PackageState {
  readonly sources: readonly PackageSource[];
  readonly packages: readonly ChosenPackage[];
  /** SHA-256 over name, version and bytes of each package: what "the same packages" means. */
  readonly sha256: string;
}

export interface StateOptions {
  /** Package lists and packages are kept here and shared by all cooks. */
  readonly cacheDir: string;
  /** The URI of a Debian mirror in place of the machine's own apt sources. */
  readonly mirror?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onLine?: (line: string) => void;
}

/** Lists younger than this are not asked for again: an archive changes a few times a day. */
const LISTS_FRESH_SECONDS = 3600;

/** apt's own settings for a root that does not exist yet: nothing is installed, no preferences, no extras. */
function aptArguments(cacheDir: string): string[] {
  const settings = {
    'Dir::State::lists': join(cacheDir, 'lists'),
    'Dir::State::status': join(cacheDir, 'status'),
    'Dir::Cache': cacheDir,
    'Dir::Cache::archives': archivesIn(cacheDir),
    'Dir::Etc::sourcelist': join(cacheDir, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'APT::Install-Recommends': 'false',
    'APT::Architecture': 'amd64',
    'APT::Architectures': 'amd64',
    'APT::Sandbox::User': 'root',
    'Acquire::Retries': '3',
  };
  return Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
}

/** What a fresh system of the release holds before any recipe: the same that mmdebstrap starts from. */
const foundation = ['?essential', 'apt', 'usr-is-merged'];

/**
 * Asks apt which packages, in which versions, an image would get now. Cheap: no package is downloaded.
 * @throws DomainError `cook_packages_unknown`, `cook_packages_conflict`, `cook_packages_unavailable`,
 * `cook_no_package_source`, `cook_tool_too_slow`
 */
export async function choosePackages(
  release: string,
  names: readonly string[],
  options: StateOptions,
): Promise<PackageState> {
  const sources = await packageSources(release, options.mirror, options.signal);
  await refreshLists(sources, options);
  await assertKnown(release, names, options);
  const simulated = await apt(
    ['apt-get', '--simulate', 'install', '--', ...foundation, ...names],
    options,
    120,
  );
  const wanted = [...simulated.matchAll(/^Inst (\S+) \((\S+) /gm)].map(
    ([, name, version]) => `${name}=${version}`,
  );
  const index = await apt(['apt-cache', 'show', '--', ...wanted], options, 120);
  const packages = parseIndex(index);
  return { sources, packages, sha256: digest(packages) };
}

/** By exact name: what apt does not know it takes for a pattern, or for a wish to remove. */
async function assertKnown(release: string, names: readonly string[], options: StateOptions): Promise<void> {
  const policy = await apt(['apt-cache', 'policy', '--', ...names], options, 120);
  const known = new Set(
    [...policy.matchAll(/^(\S+):\n.*\n {2}Candidate: (?!\(none\))/gm)].map(([, name]) => name),
  );
  const unknown = names.filter((name) => !known.has(name));
  if (unknown.length === 0) return;
  const message = `Debian ${release} has no package ${unknown.join(', ')}: check how it is spelt, and in which release it is.`;
  throw cookError('cook_packages_unknown', message, { details: { packages: unknown } });
}

/**
 * Downloads the packages (those that the cache lacks) and lays them out as an archive of their own in
 * `repositoryDir`, so that the image is built from these bytes and from nothing else.
 * @returns the newest build time among them in seconds since 1970: the image's own time
 */
export async function fetchPackages(
  state: PackageState,
  repositoryDir: string,
  options: StateOptions,
): Promise<number> {
  const exact = state.packages.map((chosen) => `${chosen.name}=${chosen.version}`);
  await apt(['apt-get', '--yes', '--download-only', 'install', '--', ...exact], options, 3600);
  await mkdir(repositoryDir, { recursive: true });
  let newest = 0;
  for (const chosen of state.packages) {
    const file = `${chosen.name}_${chosen.version.replaceAll(':', '%3a')}_${chosen.architecture}.deb`;
    const target = join(repositoryDir, `${chosen.sha256}.deb`);
    await link(join(archivesIn(options.cacheDir), file), target);
    newest = Math.max(newest, await buildTime(target));
  }
  await writeFile(join(repositoryDir, 'Packages'), packagesIndex(state.packages));
  return newest;
}

/**
 * The release of the kernel that an image of these packages starts: the last by its name, as GRUB's own menu has it.
 * @throws DomainError `recipe_invalid` where there is none
 */
export function kernelOf({ packages }: PackageState): string {
  const releases = packages.map(({ name }) => /^linux-image-(\d.*?)(-unsigned)?$/.exec(name)?.[1] ?? '');
  const newest = releases.toSorted().at(-1);
  if (newest) return newest;
  throw recipeError(
    'recipe_invalid',
    'The recipe installs no kernel, so its image would not start. Let it stand on debian-12, or install linux-image-cloud-amd64.',
  );
}

async function refreshLists(sources: readonly PackageSource[], options: StateOptions): Promise<void> {
  const { cacheDir } = options;
  const stamp = join(
    cacheDir,
    `fresh-${createHash('sha256').update(sourcesList(sources)).digest('hex').slice(0, 16)}`,
  );
  await mkdir(join(cacheDir, 'lists', 'partial'), { recursive: true });
  await mkdir(join(archivesIn(cacheDir), 'partial'), { recursive: true });
  await writeFile(join(cacheDir, 'status'), '');
  await writeFile(join(cacheDir, 'sources.list'), sourcesList(sources));
  const age = await stat(stamp).then(
    (at) => (Date.now() - at.mtimeMs) / 1000,
    () => Number.POSITIVE_INFINITY,
  );
  if (age < LISTS_FRESH_SECONDS) return;
  await apt(['apt-get', '--error-on=any', 'update'], options, 600);
  await writeFile(stamp, '');
}

/** Lists that name a package which the archive has replaced meanwhile are dropped, so the next cook asks anew. */
async function apt(argv: readonly [string, ...string[]], options: StateOptions, timeoutSeconds: number) {
  const [tool, ...rest] = argv;
  const { signal, onLine } = options;
  try {
    return await runTool([tool, ...aptArguments(options.cacheDir), ...rest], {
      timeoutSeconds,
      signal,
      ...(onLine && { onLine }),
    });
  } catch (cause) {
    if (signal?.aborted) throw cause;
    const refusal = refusalOf(cause);
    if (refusal.code === 'cook_packages_unavailable') {
      await rm(join(options.cacheDir, 'lists'), { recursive: true, force: true });
    }
    throw refusal;
  }
}

/** Why apt has failed, by what it has said: a DomainError `cook_tool_too_slow`, `cook_packages_conflict` or `cook_packages_unavailable`. */
export function refusalOf(cause: unknown): DomainError {
  if (cause instanceof DomainError && cause.code === 'cook_tool_too_slow') return cause;
  const said = cause instanceof Error ? cause.message : String(cause);
  return (
    conflictIn(cause) ??
    cookError(
      'cook_packages_unavailable',
      `Debian's packages cannot be had: check the recipe's package names and the network, then cook again.\n${said}`,
      { cause },
    )
  );
}

/** Packages that cannot be in one system are no fault of the archive. */
function conflictIn(cause: unknown): DomainError | undefined {
  const lines = cause instanceof DomainError ? (cause.details.lastLines as string[] | undefined) : undefined;
  const from = lines?.findIndex((line) => /unmet dependencies/.test(line)) ?? -1;
  if (!lines || from < 0) return undefined;
  const said = lines.slice(from + 1).filter((line) => line.startsWith(' '));
  const message = `These packages cannot be in one image:\n${said.join('\n')}`;
  return cookError('cook_packages_conflict', message, { cause });
}

function digest(packages: readonly ChosenPackage[]): string {
  const hash = createHash('sha256');
  for (const { name, version, sha256 } of packages) hash.update(`${name} ${version} ${sha256}\n`);
  return hash.digest('hex');
}

/** A .deb is an `ar` archive; the time of its first member is when the package was built. See deb(5), ar(5). */
async function buildTime(debPath: string): Promise<number> {
  const MTIME_OFFSET = 8 + 16;
  const handle = await open(debPath);
  try {
    const { buffer } = await handle.read(Buffer.alloc(12), 0, 12, MTIME_OFFSET);
    return Number(buffer.toString('latin1').trim());
  } finally {
    await handle.close();
  }
}
