import { loadRecipe } from '../recipe/load-recipe.ts';
import { cookImage } from './cook-image.ts';

/** A cook in a process of its own, for a test that kills it: catalog, recipe and output folder as arguments. */
const [catalogDir = '', name = '', outputDir = ''] = process.argv.slice(2);
await cookImage({
  recipe: await loadRecipe(catalogDir, name),
  outputDir,
  force: true,
  onProgress: ({ stage }) => console.log(stage),
});
