import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OnBroken, parseNamed, readEach, readFiles, readSmall } from './catalog-files.ts';
import { COMPONENTS_FOLDER } from './load-components.ts';
import { sizeOfPng } from './png.ts';
import { recipeError, recipeInvalid } from './recipe.errors.ts';
import { type RecipeFile, recipeSchema } from './recipe.schema.ts';
import { deriveRecipe, type Recipe, rootRecipe, type Screenshot } from './recipe.ts';

/**
 * Every recipe of a catalog folder, in the order of their names.
 * @throws DomainError `recipe_not_found` where there is no catalog; unless `onBroken` is told, that of a recipe too
 */
export async function listRecipes(catalogDir: string, onBroken?: OnBroken): Promise<Recipe[]> {
  const folders = await readdir(catalogDir, { withFileTypes: true }).catch(() => {
    throw recipeError('recipe_not_found', `There is no catalog at ${catalogDir}.`);
  });
  const names = folders.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const own = names.filter((name) => name !== COMPONENTS_FOLDER);
  return readEach(own.sort(), (name) => loadRecipe(catalogDir, name), onBroken);
}

/**
 * One recipe, with what it inherits of its bases.
 * @throws DomainError `recipe_not_found`, `recipe_invalid` with every wrong field
 */
export function loadRecipe(catalogDir: string, name: string): Promise<Recipe> {
  return resolve(catalogDir, name, []);
}

/** @throws DomainError `recipe_invalid`: `source` is the text of a recipe.yaml. */
export function parseRecipe(name: string, source: string): RecipeFile {
  return parseNamed(name, source, recipeSchema);
}

async function resolve(catalogDir: string, name: string, above: readonly string[]): Promise<Recipe> {
  if (above.includes(name)) {
    const circle = [...above, name].join(' → ');
    throw recipeInvalid(name, [{ name: 'base', messages: [`stands on itself: ${circle}`] }]);
  }
  const folder = join(catalogDir, name);
  const source = await readFile(join(folder, 'recipe.yaml'), 'utf8').catch(() => {
    throw recipeError(
      'recipe_not_found',
      `There is no recipe ${name}: ${folder}/recipe.yaml cannot be read.`,
    );
  });
  const { base, icon, screenshot, ...own } = parseRecipe(name, source);
  const recipe = {
    ...own,
    ...licenceOf(own),
    iconSvg: await readSmall(name, 'icon', join(folder, icon)).then(String),
    ...(screenshot !== undefined && { screenshot: await readScreenshot(name, join(folder, screenshot)) }),
    files: await readFiles(folder, name, own.files),
  };
  if (base.startsWith('debian:')) return rootRecipe(base.slice('debian:'.length), recipe);
  return deriveRecipe(await resolve(catalogDir, base, [...above, name]), recipe);
}

async function readScreenshot(name: string, path: string): Promise<Screenshot> {
  const png = await readSmall(name, 'screenshot', path);
  const size = sizeOfPng(png);
  if (!size) throw recipeInvalid(name, [{ name: 'screenshot', messages: [`${path} is not a PNG`] }]);
  return { png, ...size };
}

function licenceOf({ licence }: Pick<RecipeFile, 'licence'>): Pick<Recipe, 'licence' | 'licenceForbids'> {
  return typeof licence === 'string'
    ? { licence }
    : { licence: licence.name, licenceForbids: licence.forbids };
}
