import { z } from 'zod';
import {
  displayName,
  id,
  idParam,
  meta,
  pageQuery,
  searchText,
  several,
  sortQuery,
  timestamp,
} from './common.ts';
import { cookStatuses } from './cook.ts';
import {
  debianPackage,
  recipeFile,
  recipeMinimum,
  recipeName,
  recipePort,
  recipeServices,
} from './recipe-spec.ts';
import { healthCheck } from './rehearsal.ts';

const recipeFacts = {
  id,
  name: recipeName,
  title: displayName,
  summary: z.string(),
  /** Grows by one with each change. */
  version: z.int().min(1),
  base: recipeName,
  components: z.array(recipeName),
  packages: z.array(debianPackage),
  created: timestamp,
  /** When this version was made. */
  updated: timestamp,
  /** The newest cook of any of its versions. */
  newest_cook: z.object({ id, status: z.enum(cookStatuses), version: z.int() }).nullable(),
  /** The newest image of it that is still there. */
  image: id.nullable(),
};

/** As it stands in lists. */
export const recipeSummary = z.object(recipeFacts).meta({ id: 'RecipeSummary' });

/** A recipe in one version, by fields and as YAML; both say the same. */
export const recipe = z
  .object({
    ...recipeFacts,
    files: z.array(recipeFile),
    services: recipeServices,
    first_boot_script: z.string().nullable(),
    ports: z.array(recipePort),
    health: z.array(healthCheck),
    minimum: recipeMinimum,
    yaml: z.string(),
  })
  .meta({ id: 'Recipe' });

export const recipeVersion = z
  .object({ version: z.int().min(1), created: timestamp })
  .meta({ id: 'RecipeVersion' });

/** A part of a recipe that somebody has thought through: safe in an image of which many servers are made. */
export const component = z
  .object({
    name: recipeName,
    title: z.string(),
    summary: z.string(),
    category: z.string(),
    packages: z.array(z.string()),
    services: z.array(z.string()),
    files: z.array(z.object({ path: z.string(), mode: z.string(), owner: z.string(), group: z.string() })),
    ports: z.array(recipePort),
    health: z.array(healthCheck),
    /** Components that cannot be in one image with it. */
    conflicts: z.array(recipeName),
    /** Components that come with it. */
    requires: z.array(recipeName),
    /** What is made for each server and shown to its owner once. */
    secrets: z.array(z.object({ name: z.string(), title: z.string(), username: z.string().nullable() })),
    /** What servers of it need at least, in MiB. */
    memory_mib: z.int(),
  })
  .meta({ id: 'Component' });

/** What a recipe may stand on. */
export const recipeBase = z
  .object({
    name: recipeName,
    title: z.string(),
    summary: z.string(),
    os_flavor: z.string(),
    os_version: z.string(),
    ports: z.array(recipePort),
    minimum: recipeMinimum,
  })
  .meta({ id: 'RecipeBase' });

export const componentsResponse = z.object({
  bases: z.array(recipeBase),
  components: z.array(component),
  limits: z.object({
    recipes: z.int(),
    components: z.int(),
    packages: z.int(),
    files: z.int(),
    file_bytes: z.int(),
    files_bytes: z.int(),
    script_bytes: z.int(),
    /** To enable, to disable and to mask, each. */
    units: z.int(),
    ports: z.int(),
    health_checks: z.int(),
    yaml_bytes: z.int(),
  }),
});

export const recipeResponse = z.object({ recipe });
export const recipeListResponse = z.object({ recipes: z.array(recipeSummary), meta });
export const recipeVersionListResponse = z.object({ versions: z.array(recipeVersion), meta });

export const recipeListQuery = z.strictObject({
  name: several(searchText).optional(),
  sort: sortQuery(['id', 'name', 'created', 'updated']),
  ...pageQuery,
});

export const recipeVersionListQuery = z.strictObject({ ...pageQuery });
export const recipeVersionParams = z.object({
  id: idParam,
  version: z
    .string()
    .regex(/^[1-9]\d{0,8}$/, { error: 'must be a positive integer' })
    .transform(Number),
});

export type ComponentsWire = z.output<typeof componentsResponse>;
export type ComponentWire = z.output<typeof component>;
export type RecipeBaseWire = z.output<typeof recipeBase>;
export type RecipeWire = z.output<typeof recipe>;
export type RecipeSummaryWire = z.output<typeof recipeSummary>;
