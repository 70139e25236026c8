export type { CookErrorCode } from './cook.errors.ts';
export { type CookOptions, cookImage } from './cook-image.ts';
export { type CookedImage, readCookedImage } from './image-folder.ts';
export type { CookLimits } from './limits.ts';
export { applianceOf, listRecipes, loadRecipe, type Recipe } from './load-recipe.ts';
export { type Manifest, parseManifest } from './manifest.ts';
export type { CookProgress, CookStage } from './progress.ts';
export { requiredDebianPackages } from './tools.ts';
