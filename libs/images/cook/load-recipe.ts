import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { parse, YAMLParseError } from 'yaml';
import type { FieldProblem } from '#libs/kernel';
import type { Appliance, LicenceForbids } from '../appliance.ts';
import { cookError } from './cook.errors.ts';
import { sizeOfPng } from './png.ts';
import { type FileEntry, type RecipeFile, recipeSchema } from './recipe.schema.ts';

const FILE_MAX_BYTES = 1_048_576;

/** A file that a recipe puts into its image. */
export interface RecipeContent extends FileEntry {
  readonly content: Buffer;
}

/** A picture of a server of it, which the catalog shows. */
export interface Screenshot {
  readonly png: Buffer;
  readonly widthPx: number;
  readonly heightPx: number;
}

/** A recipe with all that it takes from its bases: everything that a cook needs to know of it. */
export interface Recipe extends Omit<RecipeFile, 'files' | 'base' | 'icon' | 'licence' | 'screenshot'> {
  readonly licence: string;
  /** What its licence, or that of a base, does not allow; missing: nothing of this kind. */
  readonly licenceForbids?: readonly LicenceForbids[];
  /** The Debian release at the bottom: `bookworm`. */
  readonly release: string;
  /** The recipes it stands on, the nearest first. */
  readonly bases: readonly string[];
  /** The nearest of them. */
  readonly base?: Recipe;
  readonly iconSvg: string;
  readonly screenshot?: Screenshot;
  readonly files: readonly RecipeContent[];
  /** SHA-256 over every part of the recipe that can reach the image or its manifest. */
  readonly sha256: string;
}

/** Every recipe of a catalog folder, in the order of their names. @throws DomainError `recipe_invalid` */
export async function listRecipes(catalogDir: string): Promise<Recipe[]> {
  const folders = await readdir(catalogDir, { withFileTypes: true }).catch(() => {
    throw cookError('recipe_not_found', `There is no catalog at ${catalogDir}.`);
  });
  const names = folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(names.sort().map((name) => loadRecipe(catalogDir, name)));
}

/**
 * One recipe, with what it inherits: packages, files, services, ports and health checks of its bases come
 * first; of two files with one path the recipe's own wins.
 * @throws DomainError `recipe_not_found`, `recipe_invalid` with every wrong field
 */
export async function loadRecipe(catalogDir: string, name: string): Promise<Recipe> {
  const recipe = withDigest(await resolve(catalogDir, name, []));
  const [base] = recipe.bases;
  return base === undefined ? recipe : { ...recipe, base: await loadRecipe(catalogDir, base) };
}

/** What the catalog tells its readers about a recipe. */
export function applianceOf(recipe: Recipe): Appliance {
  return {
    name: recipe.name,
    title: recipe.title,
    summary: recipe.summary,
    description: recipe.description,
    category: recipe.category,
    iconSvg: recipe.iconSvg,
    ...(recipe.screenshot && {
      screenshot: { widthPx: recipe.screenshot.widthPx, heightPx: recipe.screenshot.heightPx },
    }),
    osFlavor: recipe.osFlavor,
    osVersion: recipe.osVersion,
    licence: recipe.licence,
    ...(recipe.licenceForbids && { licenceForbids: recipe.licenceForbids }),
    ports: recipe.ports,
    healthChecks: recipe.health,
    secrets: recipe.secrets,
    minimumMemoryMib: recipe.minimum.memoryMib,
    minimumDiskGib: recipe.minimum.diskGib,
    ...(recipe.kind === 'rescue' && { isRescue: true }),
  };
}

/** @throws DomainError `recipe_invalid`: `source` is the text of a recipe.yaml. */
export function parseRecipe(name: string, source: string): RecipeFile {
  const parsed = recipeSchema.safeParse(parseYaml(name, source));
  if (!parsed.success) {
    throw invalid(
      name,
      parsed.error.issues.map((issue) => ({
        name: issue.path.join('.') || '(root)',
        messages: [issue.message],
      })),
    );
  }
  if (parsed.data.name !== name) {
    throw invalid(name, [{ name: 'name', messages: [`must be ${name}, as its folder`] }]);
  }
  return parsed.data;
}

function parseYaml(name: string, source: string): unknown {
  try {
    return parse(source, { maxAliasCount: 0, strict: true, logLevel: 'error' });
  } catch (cause) {
    if (cause instanceof YAMLParseError || cause instanceof ReferenceError) {
      throw invalid(name, [{ name: '(root)', messages: [cause.message] }]);
    }
    throw cause;
  }
}

type Unsigned = Omit<Recipe, 'sha256' | 'base'>;

async function resolve(catalogDir: string, name: string, above: readonly string[]): Promise<Unsigned> {
  if (above.includes(name)) {
    throw invalid(name, [{ name: 'base', messages: [`stands on itself: ${[...above, name].join(' → ')}`] }]);
  }
  const folder = join(catalogDir, name);
  const source = await readFile(join(folder, 'recipe.yaml'), 'utf8').catch(() => {
    throw cookError('recipe_not_found', `There is no recipe ${name}: ${folder}/recipe.yaml cannot be read.`);
  });
  const { base, icon, screenshot, ...own } = parseRecipe(name, source);
  const recipe = {
    ...own,
    ...licenceOf(own),
    iconSvg: await readSmall(name, 'icon', join(folder, icon)).then(String),
    ...(screenshot !== undefined && { screenshot: await readScreenshot(name, join(folder, screenshot)) }),
    files: await readFiles(folder, name, own.files),
  };
  if (base.startsWith('debian:')) return { ...recipe, release: base.slice('debian:'.length), bases: [] };
  return addTo(await resolve(catalogDir, base, [...above, name]), base, recipe);
}

function addTo(base: Unsigned, baseName: string, own: Omit<Unsigned, 'release' | 'bases'>): Unsigned {
  const union = <T>(key: (item: T) => string, ...lists: (readonly T[])[]) => [
    ...new Map(lists.flat().map((item) => [key(item), item])).values(),
  ];
  const same = <T extends string>(item: T) => item;
  const licenceForbids = union(same, base.licenceForbids ?? [], own.licenceForbids ?? []);
  return {
    ...own,
    ...(licenceForbids.length > 0 && { licenceForbids }),
    release: base.release,
    bases: [baseName, ...base.bases],
    packages: union(same, base.packages, own.packages),
    files: union((file) => file.path, base.files, own.files),
    remove: union(same, base.remove, own.remove),
    services: {
      enable: union(same, base.services.enable, own.services.enable),
      disable: union(same, base.services.disable, own.services.disable),
      mask: union(same, base.services.mask, own.services.mask),
    },
    ports: union((port) => `${port.port}/${port.protocol}`, base.ports, own.ports),
    health: union((check) => JSON.stringify(check), base.health, own.health),
    secrets: union((secret) => secret.name, base.secrets, own.secrets),
  };
}

function licenceOf({ licence }: Pick<RecipeFile, 'licence'>): Pick<Recipe, 'licence' | 'licenceForbids'> {
  return typeof licence === 'string'
    ? { licence }
    : { licence: licence.name, licenceForbids: licence.forbids };
}

/** The files of a recipe lie under `files/` at the path that they have in the image; none may be left over. */
async function readFiles(
  folder: string,
  name: string,
  entries: readonly FileEntry[],
): Promise<RecipeContent[]> {
  const root = join(folder, 'files');
  const listed = new Set(entries.map((entry) => entry.path));
  const found = await walk(root);
  const unlisted = found.filter((path) => !listed.has(path));
  if (unlisted.length > 0) {
    throw invalid(name, [{ name: 'files', messages: unlisted.map((path) => `files${path} is not listed`) }]);
  }
  return Promise.all(
    entries.map(async (entry, index) => ({
      ...entry,
      content: await readSmall(name, `files.${index}.path`, join(root, entry.path)),
    })),
  );
}

async function readScreenshot(name: string, path: string): Promise<Screenshot> {
  const png = await readSmall(name, 'screenshot', path);
  const size = sizeOfPng(png);
  if (!size) throw invalid(name, [{ name: 'screenshot', messages: [`${path} is not a PNG`] }]);
  return { png, ...size };
}

async function walk(root: string): Promise<string[]> {
  const entries: Dirent[] = await readdir(root, { withFileTypes: true, recursive: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => `/${relative(root, join(entry.parentPath, entry.name))}`);
}

async function readSmall(name: string, field: string, path: string): Promise<Buffer> {
  const stat = await lstat(path).catch(() => undefined);
  if (!stat?.isFile()) throw invalid(name, [{ name: field, messages: [`${path} is not a file`] }]);
  if (stat.size > FILE_MAX_BYTES) {
    throw invalid(name, [{ name: field, messages: [`${path} is larger than 1 MiB: make it a package`] }]);
  }
  return readFile(path);
}

/** The screenshot reaches neither the image nor its manifest. */
function withDigest({ screenshot, ...recipe }: Unsigned): Recipe {
  const files = recipe.files.map(({ content, ...entry }) => ({
    ...entry,
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
  const sha256 = createHash('sha256')
    .update(JSON.stringify({ ...recipe, files }))
    .digest('hex');
  return { ...recipe, ...(screenshot && { screenshot }), sha256 };
}

function invalid(name: string, fields: readonly FieldProblem[]) {
  const lines = fields.map((field) => `  ${field.name}: ${field.messages.join('; ')}`);
  return cookError('recipe_invalid', `The recipe ${name} is not usable:\n${lines.join('\n')}`, { fields });
}
