import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseNamed, readFiles } from './catalog-files.ts';
import { type ComponentFile, componentSchema } from './component.schema.ts';
import { recipeInvalid } from './recipe.errors.ts';
import type { RecipeContent } from './recipe.ts';

/** The folder of the catalog that holds components and no recipe. */
export const COMPONENTS_FOLDER = 'components';

/** A part of a recipe that somebody has thought through, with the content of its files. */
export interface Component extends Omit<ComponentFile, 'files'> {
  readonly files: readonly RecipeContent[];
}

/**
 * Every component of a catalog folder, in the order of their names.
 * @throws DomainError `recipe_invalid`, also where one names another that is not there
 */
export async function listComponents(catalogDir: string): Promise<Component[]> {
  const root = join(catalogDir, COMPONENTS_FOLDER);
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const components = await Promise.all(names.sort().map((name) => loadComponent(join(root, name), name)));
  for (const { name, requires, conflicts } of components) {
    const unknown = [...requires, ...conflicts].filter((other) => !names.includes(other));
    if (unknown.length > 0) {
      throw recipeInvalid(name, [
        { name: 'requires', messages: unknown.map((other) => `there is no component ${other}`) },
      ]);
    }
  }
  return components;
}

async function loadComponent(folder: string, name: string): Promise<Component> {
  const source = await readFile(join(folder, 'component.yaml'), 'utf8').catch(() => {
    throw recipeInvalid(name, [{ name: '(root)', messages: [`${folder}/component.yaml cannot be read`] }]);
  });
  const component = parseNamed(name, source, componentSchema);
  return { ...component, files: await readFiles(folder, name, component.files) };
}
