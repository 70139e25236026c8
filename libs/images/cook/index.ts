export type { CookErrorCode } from './cook.errors.ts';
export {
  type CookedImage,
  type CookOptions,
  type CookProgress,
  type CookStage,
  cookImage,
  readCookedImage,
} from './cook-image.ts';
export { applianceOf, listRecipes, loadRecipe, type Recipe } from './load-recipe.ts';
export { type Manifest, parseManifest } from './manifest.ts';
export { requiredDebianPackages } from './tools.ts';
