export type { CookErrorCode } from './cook.errors.ts';
export { type CookOptions, type CookProgress, type CookStage, cookImage } from './cook-image.ts';
export { type CookedImage, readCookedImage } from './image-folder.ts';
export { applianceOf, listRecipes, loadRecipe, type Recipe } from './load-recipe.ts';
export { type Manifest, parseManifest } from './manifest.ts';
export { requiredDebianPackages } from './tools.ts';
export { noteVerified } from './verification.ts';
