export { CLEARED } from './cleared-paths.ts';
export { type Component, listComponents } from './load-components.ts';
export { listRecipes, loadRecipe } from './load-recipe.ts';
export { type RecipeErrorCode, recipeInvalid } from './recipe.errors.ts';
export {
  addUnits,
  applianceOf,
  deriveRecipe,
  type OwnRecipe,
  type Recipe,
  type RecipeContent,
} from './recipe.ts';
