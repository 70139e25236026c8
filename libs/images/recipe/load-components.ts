import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type OnBroken, parseNamed, readEach, readFiles } from './catalog-files.ts';
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
 * @throws DomainError `recipe_invalid`, also where one names another that is not there, unless `onBroken` is told
 */
export async function listComponents(catalogDir: string, onBroken?: OnBroken): Promise<Component[]> {
  const root = join(catalogDir, COMPONENTS_FOLDER);
  const entries = await readdir(root, { withFileTypes: true }).catch(() => []);
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const load = async (name: string) => {
    const component = await loadComponent(join(root, name), name);
    refuseUnknown(component, 'conflicts', names);
    return component;
  };
  return withWhatTheyNeed(await readEach(names.sort(), load, onBroken), onBroken);
}

/** Without those that require one that is not there, or is left out itself. */
async function withWhatTheyNeed(components: readonly Component[], onBroken?: OnBroken): Promise<Component[]> {
  const names = components.map(({ name }) => name);
  const check = async (component: Component) => {
    refuseUnknown(component, 'requires', names);
    return component;
  };
  const whole = await readEach(components, check, onBroken);
  return whole.length < components.length ? withWhatTheyNeed(whole, onBroken) : whole;
}

function refuseUnknown(
  component: Component,
  field: 'requires' | 'conflicts',
  names: readonly string[],
): void {
  const unknown = component[field].filter((other) => !names.includes(other));
  if (unknown.length === 0) return;
  const messages = unknown.map((other) => `there is no component ${other}`);
  throw recipeInvalid(component.name, [{ name: field, messages }]);
}

async function loadComponent(folder: string, name: string): Promise<Component> {
  const source = await readFile(join(folder, 'component.yaml'), 'utf8').catch(() => {
    throw recipeInvalid(name, [{ name: '(root)', messages: [`${folder}/component.yaml cannot be read`] }]);
  });
  const component = parseNamed(name, source, componentSchema);
  return { ...component, files: await readFiles(folder, name, component.files) };
}
