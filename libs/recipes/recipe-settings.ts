import type { Environment } from '#libs/config';
import type { Currency } from '#libs/kernel';

/** What customers may cook, and for how long it may take. */
export interface RecipeSettings {
  readonly recipesPerProject: number;
  /** On all workers together. */
  readonly cooksAtOnce: number;
  /** Of work at it, from the choice of the packages to the finished disk. */
  readonly cookMinutes: number;
  readonly currency: Currency;
}

/** Nest token of the RecipeSettings. */
export const RECIPE_SETTINGS = Symbol('RecipeSettings');

export type RecipeVariables = Pick<
  Environment,
  | 'SERVERY_CATALOG_DIR'
  | 'SERVERY_CURRENCY'
  | 'SERVERY_RECIPES_PER_PROJECT'
  | 'SERVERY_COOKS_AT_ONCE'
  | 'SERVERY_COOK_MINUTES'
>;

export function recipeSettings(environment: RecipeVariables): RecipeSettings {
  return {
    recipesPerProject: environment.SERVERY_RECIPES_PER_PROJECT,
    cooksAtOnce: environment.SERVERY_COOKS_AT_ONCE,
    cookMinutes: environment.SERVERY_COOK_MINUTES,
    currency: environment.SERVERY_CURRENCY,
  };
}
