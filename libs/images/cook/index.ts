export { applianceOf, listRecipes, loadRecipe, type Recipe } from '../recipe/index.ts';
export type { CookErrorCode } from './cook.errors.ts';
export { type CookOptions, type CookPlan, cookImage, planCook } from './cook-image.ts';
export { type CookedImage, readCookedImage } from './image-folder.ts';
export type { CookLimits } from './limits.ts';
export { type Manifest, parseManifest } from './manifest.ts';
export type { CookProgress, CookStage } from './progress.ts';
export { requiredDebianPackages } from './tools.ts';
export { noteVerified } from './verification.ts';
