import { type CookedImage, cookImage, listRecipes, type Recipe, readCookedImage } from '#libs/images/cook';
import { CliError } from '../cli.errors.ts';
import type { Progress, Step } from './step.ts';
import type { Up } from './up.ts';

/** What the first server and the tests are made of. The rest of the catalog is cooked by whoever wants it. */
const ALWAYS: readonly string[] = ['debian-12', 'web', 'rescue'];

/** An appliance is cooked once per recipe and kept; `servery image cook` makes newer builds. */
export const imagesStep: Step = {
  title: 'Golden images',
  async run(up, progress) {
    const recipes = await wantedRecipes(up);
    const images: CookedImage[] = [];
    for (const recipe of recipes) images.push(await ensureImage(up, recipe, progress));
    const cooked = images.filter((image) => !image.unchanged).length;
    return `${recipes.map((recipe) => recipe.name).join(', ')}${cooked > 0 ? ` (${cooked} cooked now)` : ''}`;
  },
};

async function wantedRecipes({ catalogFolder, moreAppliances }: Up): Promise<Recipe[]> {
  const all = await listRecipes(catalogFolder);
  const names = [...ALWAYS, ...moreAppliances];
  const unknown = names.find((name) => !all.some((recipe) => recipe.name === name));
  if (unknown !== undefined) {
    const known = all.map(({ name }) => name).join(', ');
    throw new CliError('unknown_appliance', `The catalog has no ${unknown}. It has: ${known}`);
  }
  return all.filter(({ name }) => names.includes(name));
}

async function ensureImage(up: Up, recipe: Recipe, progress: Progress): Promise<CookedImage> {
  const kept = await readCookedImage(up.imagesFolder, recipe.name);
  if (kept?.manifest.recipe.sha256 === recipe.sha256) return kept;
  return cookImage({
    recipe,
    outputDir: up.imagesFolder,
    mirror: process.env.SERVERY_APT_MIRROR || undefined,
    signal: up.signal,
    onProgress: ({ percent, message }) => progress(`${recipe.name}: ${Math.floor(percent)} % ${message}`),
  });
}
