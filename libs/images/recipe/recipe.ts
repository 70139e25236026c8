import { createHash } from 'node:crypto';
import type { Appliance, LicenceForbids } from '../appliance.ts';
import type { FileEntry, RecipeFile } from './recipe.schema.ts';

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

/** A recipe by itself, before it has a base. */
export type OwnRecipe = Omit<Recipe, 'sha256' | 'base' | 'bases' | 'release'>;

type Unsigned = Omit<Recipe, 'sha256' | 'base'>;

/** A recipe that stands on nothing but a release of Debian. */
export function rootRecipe(release: string, own: OwnRecipe): Recipe {
  return withDigest({ ...own, release, bases: [] });
}

/**
 * A recipe that stands on another: packages, files, services, ports and health checks of the base come first; of two files
 * with one path its own wins.
 */
export function deriveRecipe(base: Recipe, own: OwnRecipe): Recipe {
  const { sha256: _, base: __, ...unsigned } = base;
  return { ...withDigest(addTo(unsigned, own)), base };
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

function addTo(base: Unsigned, own: OwnRecipe): Unsigned {
  const union = <T>(key: (item: T) => string, ...lists: (readonly T[])[]) => [
    ...new Map(lists.flat().map((item) => [key(item), item])).values(),
  ];
  const same = <T extends string>(item: T) => item;
  const licenceForbids = union(same, base.licenceForbids ?? [], own.licenceForbids ?? []);
  return {
    ...own,
    ...(licenceForbids.length > 0 && { licenceForbids }),
    release: base.release,
    bases: [base.name, ...base.bases],
    packages: union(same, base.packages, own.packages),
    files: union((file) => file.path, base.files, own.files),
    remove: union(same, base.remove, own.remove),
    services: addUnits(base.services, own.services),
    ports: union((port) => `${port.port}/${port.protocol}`, base.ports, own.ports),
    health: union((check) => JSON.stringify(check), base.health, own.health),
    secrets: union((secret) => secret.name, base.secrets, own.secrets),
  };
}

type Units = Recipe['services'];

/** Of a unit counts what is said of it last: where its own list names it, what is below in another list is over. */
export function addUnits(below: Units, own: Units): Units {
  const lists = ['enable', 'disable', 'mask'] as const;
  const added = (list: keyof Units) => {
    const isOver = (unit: string) => lists.some((other) => other !== list && own[other].includes(unit));
    return [...new Set([...below[list].filter((unit) => !isOver(unit)), ...own[list]])];
  };
  return { enable: added('enable'), disable: added('disable'), mask: added('mask') };
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
