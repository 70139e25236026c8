export { checkRecipe } from './check-recipe.ts';
export { type ComposedRecipe, composeRecipe } from './compose-recipe.ts';
export { Cook, type CookStage, type CookState } from './cook.entity.ts';
export {
  CookRequests,
  cookRecipeRequest,
  loadVersion,
  type RequestedCook,
  type WantedCook,
} from './cook-requests.ts';
export { type CookEnd, watchCook } from './cook-watch.ts';
export { CooksService, type CookWithImages, cookSubjectOf } from './cooks.service.ts';
export { fileChanges, type ImageChanges, imageParts } from './image-changes.ts';
export type { ChosenPackages, CookedDisk, CookOrder, CookWatch, ImageCook } from './image-cook.ts';
export { FIRST_BOOT } from './image-paths.ts';
export { ProjectRecipe, RecipeVersion } from './recipe.entity.ts';
export { RECIPE_SETTINGS, type RecipeSettings, recipeSettings } from './recipe-settings.ts';
export { parseRecipeYaml, printRecipeYaml } from './recipe-yaml.ts';
export type { RecipesErrorCode } from './recipes.errors.ts';
export { recipesEntities, recipesModule } from './recipes.module.ts';
export { type ListedRecipe, type RecipeInVersion, RecipesService } from './recipes.service.ts';
export { Shelf, type Stock } from './shelf.ts';
export { type Upgrade, UpgradesService } from './upgrades.service.ts';
