import { join } from 'node:path';
import { type CookedImage, cookImage, listRecipes, type Recipe, readCookedImage } from '#libs/images/cook';
import type { Progress, Step } from './step.ts';
import type { Up } from './up.ts';

/** Each appliance of the catalog is cooked once per recipe and kept; `servery image cook` makes newer builds. */
export const imagesStep: Step = {
  title: 'Golden images',
  async run(up, progress) {
    const recipes = await listRecipes(join(up.root, 'catalog'));
    const images: CookedImage[] = [];
    for (const recipe of recipes) images.push(await ensureImage(up, recipe, progress));
    const cooked = images.filter((image) => !image.unchanged).length;
    return `${recipes.map((recipe) => recipe.name).join(', ')}${cooked > 0 ? ` (${cooked} cooked now)` : ''}`;
  },
};

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
